"""The seams of stores over MLflow's own REST API, for servers that are MLflow's and nothing else."""
