"""What many processes send to one writer is all there, and in each one's order."""

from pathlib import Path

from tests.examples.running import needs, run, shown, steps, values

pytestmark = needs("ray")


def test_nothing_is_lost_between_processes(tmp_path: Path) -> None:
    """Five workers' numbers are complete and rise, and their arrays have come whole through the object store."""
    out = run("ray_actor.py", "--workers", "5", "--steps", "60", cwd=tmp_path)
    assert "305 entries made, 305 written" in out
    runs = shown(tmp_path / "runs" / "ray_actor")
    assert list(runs) == ["."]
    workers = [f"worker-{number}" for number in range(5)]
    assert set(runs["."]) == {f"{worker}/{what}" for worker in workers for what in ("loss", "norm", "place")}
    for worker in workers:
        losses = runs["."][f"{worker}/loss"]
        assert steps(losses) == list(range(60))
        assert values(losses)[-1] < 0.01 * values(losses)[0]
        (place,) = runs["."][f"{worker}/place"]
        assert (place.step, place.value) == (60, 100_000)
