//! What EXPLAIN prints about the whole statement: planning, execution, JIT compilation, triggers.

use serde_json::Value;

use crate::model::Millis;
use crate::plan::Plan;

/// Of the plan as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// `Planning Time`.
    pub planning: Option<Millis>,
    /// `Execution Time`, triggers included.
    pub execution: Option<Millis>,
    /// Compiling expressions, when that was done.
    pub jit: Option<Jit>,
    /// Triggers that ran, the longest first.
    pub triggers: Vec<Trigger>,
    /// Converting the result for the client, with SERIALIZE.
    pub serialization: Option<Serialization>,
}

/// Converting the result for the client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Serialization {
    /// How long it took.
    pub time: Millis,
    /// Size of what would be sent, in kB.
    pub kilobytes: f64,
}

/// Just-in-time compilation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jit {
    /// Functions compiled, in all processes.
    pub functions: f64,
    /// The time it took in the leader and, as far as EXPLAIN adds them up, in the workers.
    pub time: Millis,
}

/// A trigger with the time of all its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// `Trigger Name`.
    pub name: String,
    /// The constraint that it enforces, if any: the triggers of a foreign key are named
    /// `RI_ConstraintTrigger_…`.
    pub constraint: Option<String>,
    /// The table it is on.
    pub relation: Option<String>,
    /// Of all calls.
    pub time: Millis,
    /// How often.
    pub calls: f64,
}

impl Summary {
    /// Planning as a share of planning and execution together.
    pub fn planning_share(&self) -> Option<f64> {
        let (planning, execution) = (self.planning?.0, self.execution?.0);
        let both = planning + execution;
        (both > 0.0).then(|| planning / both)
    }

    /// JIT compilation as a share of the execution.
    pub fn jit_share(&self) -> Option<f64> {
        let execution = self.execution?.0;
        (execution > 0.0).then_some(self.jit?.time.0 / execution)
    }
}

pub(super) fn summary(plan: &Plan) -> Summary {
    let number = |property: &str| plan.summary.get(property).and_then(Value::as_f64);
    let mut triggers: Vec<Trigger> = plan
        .summary
        .get("Triggers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(trigger)
        .collect();
    triggers.sort_by(|a, b| {
        b.time
            .0
            .total_cmp(&a.time.0)
            .then_with(|| a.name.cmp(&b.name))
    });
    // `Total Runtime` is the name before 9.4, which some viewers still use.
    let execution = number("Execution Time").or_else(|| number("Total Runtime"));
    Summary {
        planning: number("Planning Time").map(Millis),
        execution: execution.map(Millis),
        jit: plan.summary.get("JIT").and_then(jit),
        triggers,
        serialization: plan.summary.get("Serialization").and_then(serialization),
    }
}

fn serialization(value: &Value) -> Option<Serialization> {
    Some(Serialization {
        time: Millis(value.get("Time")?.as_f64()?),
        kilobytes: value
            .get("Output Volume")
            .and_then(Value::as_f64)
            .unwrap_or(0.0),
    })
}

fn jit(value: &Value) -> Option<Jit> {
    let time = value.get("Timing")?.get("Total")?.as_f64()?;
    Some(Jit {
        functions: value
            .get("Functions")
            .and_then(Value::as_f64)
            .unwrap_or(0.0),
        time: Millis(time),
    })
}

fn trigger(value: &Value) -> Option<Trigger> {
    let text = |property: &str| {
        value
            .get(property)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let constraint = text("Constraint Name");
    Some(Trigger {
        name: text("Trigger Name").or_else(|| constraint.clone())?,
        constraint,
        relation: text("Relation"),
        time: Millis(value.get("Time").and_then(Value::as_f64).unwrap_or(0.0)),
        calls: value.get("Calls").and_then(Value::as_f64).unwrap_or(0.0),
    })
}
