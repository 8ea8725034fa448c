"""Planted scenarios: each module scripts households whose alerts are known because the planner did the arithmetic."""
