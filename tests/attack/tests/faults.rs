//! The short rounds of the suites that count what the process holds. They are alone in this
//! process, and one test, because another one would hold something as well.

use lro_attack::faults::{FAULTS, Fault, GUARDS, RESTART};

#[test]
fn no_fault_of_a_server_gives_a_wrong_result_or_leaves_anything_behind() {
    let report = FAULTS.short_round();
    let counts = report.counts();
    for fault in Fault::ALL {
        assert!(counts.of(fault.name()) > 0, "{fault:?} was not met");
    }
    assert!(counts.of("dropped") > 0);
    assert!(counts.of("results") > counts.of("operations") / 2 && counts.of("errors") > 0);

    let report = RESTART.short_round();
    let counts = report.counts();
    assert!(counts.of("results") > 0 && counts.of("lost") > 0);

    let report = GUARDS.short_round();
    // How many guards a large case has is for the machine's limit of file descriptors.
    assert!(report.counts().of("large") > 0);
}
