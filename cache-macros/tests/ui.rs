//! What the derive says to each mistake.

/// What is accepted is another program, `pass`: a case of trybuild that must compile makes it build all dependencies
/// anew, where these let it check them.
#[test]
fn every_mistake_is_told() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
