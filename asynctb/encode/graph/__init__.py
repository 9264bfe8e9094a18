"""Graphs of models: from TorchScript, torch.export, torch.fx, ONNX, or ready ones, to TensorBoard's GraphDef."""
