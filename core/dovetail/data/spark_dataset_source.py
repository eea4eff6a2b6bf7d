"""Data that Spark reads, by the longer path."""

from dovetail.datasets.spark_source import SparkDatasetSource

__all__ = ["SparkDatasetSource"]
