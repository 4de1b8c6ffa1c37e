"""Streams that are asked for: stages with demand, and pipelines of processors and batchers."""

__all__: list[str] = []
