//! The planner twin: a throwaway server with production's catalogs, statistics and sparse files, whose planner answers for
//! indexes that do not exist. What such an index would measure is estimated in [`size`].

pub mod size;
