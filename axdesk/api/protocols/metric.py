"""What a laboratory derives its metrics from."""

from axdesk.core.laboratory import IMetric

__all__ = ["IMetric"]
