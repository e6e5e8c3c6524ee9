//! The twin of a small server, grown, plans as the large server does.

use pgrehearse::internals::db::{Scope, Server};
use pgrehearse::internals::twin::growth::Growth;

use crate::exactness::session;
use crate::live::{Database, cluster};
use crate::tally::{SAMPLES, Tally, plans, sample_workload, twin_of};

/// A fifth of the rows, grown five times, compared with all of them: most statements have the large
/// server's plan, and more have it than without growth.
#[test]
fn a_fifth_grown_five_times_plans_like_the_whole() {
    let (mut grown_tally, mut small_tally) = (Tally::default(), Tally::default());
    for sample in SAMPLES {
        let number = &sample[..3];
        let workload = sample_workload(sample);
        let small = Database::sample(&format!("growth_small_{number}"), sample, "0.2");
        let large = Database::sample(&format!("growth_large_{number}"), sample, "1.0");
        let snapshot = session(&cluster().conninfo_of(&small.name))
            .snapshot(&Scope::Everything)
            .unwrap();
        let large = session(&cluster().conninfo_of(&large.name));
        let real = plans(&mut Server::new(&large), &workload);
        let grown = plans(&mut twin_of(&snapshot.grown(&Growth::by(5.0))), &workload);
        let ungrown = plans(&mut twin_of(&snapshot), &workload);
        grown_tally.add("grown", &real, &grown);
        small_tally.add("as it is", &real, &ungrown);
    }
    eprintln!("as it is: {small_tally}\ngrown:    {grown_tally}");
    assert_eq!(grown_tally.total(), 28);
    assert!(grown_tally.same_shape() >= 22, "{grown_tally}");
    assert!(grown_tally.same_shape() > small_tally.same_shape());
    assert!(grown_tally.exact() >= small_tally.exact());
    assert!(grown_tally.median_deviation() < small_tally.median_deviation());
}
