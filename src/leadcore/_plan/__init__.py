"""Model -> record tables: what the kernel and the edge run."""

from leadcore._plan.plan import Line, Plan, plan_model

__all__ = ["Line", "Plan", "plan_model"]
