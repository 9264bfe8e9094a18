"""Read event files back: by the format alone, and with the two readers that TensorBoard itself uses.

* `events`: a strict parser of one file, written from the format; it knows neither asynctb nor TensorBoard's readers.
* `python_loader`: what TensorBoard shows with `--load_fast=false`.
* `rust_server`: what TensorBoard shows by default, from its data server.
* `both`: one expectation, asked of both loaders.
* `points`: what the loaders return; `sample`: files for the harness's own tests, of TensorBoard's own messages.

Nothing here imports asynctb, and nothing of TensorBoard is imported before the first use.
"""
