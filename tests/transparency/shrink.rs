//! Makes a failing program as short as it can be.

use crate::program::{Op, Program, Step};

/// Leaves out steps, and rows of lists, while the program still fails.
///
/// Delta debugging: ever smaller runs of steps are left out, until no single step can be.
pub(crate) async fn shrink(mut program: Program, mut fails: impl AsyncFnMut(&Program) -> bool) -> Program {
    let mut length = program.steps.len().div_ceil(2);
    while length > 0 {
        let mut shorter = false;
        let mut at = 0;
        while at < program.steps.len() {
            let mut attempt = program.clone();
            attempt.steps.drain(at..(at + length).min(program.steps.len()));
            if fails(&attempt).await {
                (program, shorter) = (attempt, true);
            } else {
                at += length;
            }
        }
        // A step that could not be left out may be superfluous once a later one is gone.
        if !(shorter && length == 1) {
            length /= 2;
        }
    }
    for number in 0..program.steps.len() {
        program = with_fewer_rows(program, number, &mut fails).await;
    }
    program
}

async fn with_fewer_rows(
    mut program: Program,
    number: usize,
    fails: &mut impl AsyncFnMut(&Program) -> bool,
) -> Program {
    let mut row = 0;
    loop {
        let mut attempt = program.clone();
        let (Step::Call { op, .. } | Step::Beside { op, .. } | Step::BehindTheBack { op }) =
            &mut attempt.steps[number]
        else {
            return program;
        };
        let (Op::ReadMany(_, rows) | Op::Hop(_, rows) | Op::WriteMany(_, rows)) = op else { return program };
        if rows.len() < 2 || row >= rows.len() {
            return program;
        }
        rows.remove(row);
        if fails(&attempt).await {
            program = attempt;
        } else {
            row += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generate, program::End};

    #[tokio::test]
    async fn what_does_not_matter_is_left_out() {
        let mut program = generate::program(7);
        program.steps.insert(3, Step::End(End::Commit));
        program.steps.insert(17, Step::End(End::Rollback));
        let needed = [Step::End(End::Commit), Step::End(End::Rollback)];
        let fails = |program: &Program| {
            let commit = program.steps.iter().position(|step| *step == needed[0]);
            commit.is_some_and(|at| program.steps[at..].contains(&needed[1]))
        };
        let shrunk = shrink(program, async |program: &Program| fails(program)).await;
        assert_eq!(shrunk.steps, needed);
    }
}
