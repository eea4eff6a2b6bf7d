"""Tables of Spark and Delta Lake, by the longer path."""

from dovetail.datasets.spark_dataset import SparkDataset, from_spark, load_delta

__all__ = ["SparkDataset", "from_spark", "load_delta"]
