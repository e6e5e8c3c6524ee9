//! Does a change make statements slower? What was observed before and after it, as values; what is
//! said of it, and whether it passes.
//!
//! A migration is read ([`script`]) and executed in the planner twin, which tells what each of its
//! statements did ([`migration`]). The plans of the workload before and after are compared
//! ([`comparison`]), from the shape of a plan ([`shape`]). What follows is in a file for each question:
//! why a plan changed ([`cause`]), how long a statement takes ([`duration`]), how it is written so that
//! nobody waits ([`safer`]), who uses a new index ([`index_use`]), at which size a plan flips
//! ([`growth`]), which plan is expected ([`baseline`]), and which limits of `--fail-on` are reached
//! ([`gate`]).
//!
//! No I/O, no servers and no sentences.

pub mod baseline;
pub mod cause;
pub mod comparison;
pub mod duration;
pub mod gate;
pub mod growth;
pub mod index_use;
pub mod lock;
pub mod migration;
pub mod outcome;
pub mod row_conditions;
pub mod safer;
pub mod script;
pub mod shape;
pub mod structure;
pub mod up_part;
