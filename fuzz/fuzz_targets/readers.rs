//! Any bytes are read as plans or refused, without a panic; what is read goes through EXPLAIN's JSON and comes back the same.
//!
//! ```sh
//! RUSTC_BOOTSTRAP=1 cargo fuzz run readers fuzz/corpus/readers fixtures/plans/corpus/18 fixtures/plans/corpus/14 -- -max_total_time=300
//! ```
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgrehearse::internals::plan::Plan;
use pgrehearse::internals::plan::read::read;

fuzz_target!(|bytes: &[u8]| {
    let Ok(plans) = read(bytes) else { return };
    for read in plans {
        let value = serde_json::Value::from(read.plan.clone());
        assert_eq!(Plan::from_json(value).as_ref(), Ok(&read.plan));
    }
});
