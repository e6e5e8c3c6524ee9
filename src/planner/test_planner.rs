//! A planner for tests.
