"""What crosses the network: MLflow's JSON, one module a noun, and dovetail's own calls."""

__all__: list[str] = []
