//! What was committed when, and whether an answer could have been given in its interval.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// How many rows are raced for.
pub(crate) const ROWS: usize = 4;

/// A logical clock and all commits since it started.
///
/// The states of a row are numbered; each is either a row that carries its number or an absence. A state was
/// committed at some instant between the tick before the commit and the tick after its return, and was current
/// until the next one was committed.
#[derive(Debug, Default)]
pub(crate) struct History {
    clock: AtomicU64,
    commits: Mutex<Vec<Commit>>,
    reads: Mutex<Vec<Answer>>,
}

/// A transaction that was committed: for each row that it wrote, the number and presence of the new state.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) started: u64,
    pub(crate) returned: u64,
    pub(crate) states: [Option<State>; ROWS],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) number: i64,
    pub(crate) present: bool,
}

/// What one read call said about some rows: the number that the row carries, or its absence.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) call: &'static str,
    pub(crate) started: u64,
    pub(crate) returned: u64,
    /// The row, and what was said of it.
    pub(crate) rows: Vec<(usize, Option<i64>)>,
}

impl History {
    pub(crate) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn committed(&self, commit: Commit) {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).push(commit);
    }

    pub(crate) fn answered(&self, answer: Answer) {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }

    /// How many commits and answers there were.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner).len();
        (commits, self.reads.lock().unwrap_or_else(PoisonError::into_inner).len())
    }

    /// Checks every answer. To be called when everything has ended.
    ///
    /// # Errors
    /// The first answer that no instant of its interval explains, and what was committed of its rows.
    pub(crate) fn check(&self) -> Result<(), String> {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        match reads.iter().find(|answer| !is_explained(answer, &commits)) {
            Some(answer) => Err(explanation(answer, &commits)),
            None => Ok(()),
        }
    }
}

/// Between which ticks a state may have been current.
#[derive(Clone, Copy, Debug)]
struct Window {
    state: State,
    from: u64,
    until: u64,
}

/// The states of a row in their order. The first is that of the start, which is committed like all others.
fn windows(row: usize, commits: &[Commit]) -> Vec<Window> {
    let mut states: Vec<(State, &Commit)> =
        commits.iter().filter_map(|commit| Some((commit.states[row]?, commit))).collect();
    states.sort_by_key(|(state, _)| state.number);
    let ends: Vec<u64> = states.iter().skip(1).map(|(_, commit)| commit.returned).chain([u64::MAX]).collect();
    let windows = states.into_iter().zip(ends);
    windows.map(|((state, commit), until)| Window { state, from: commit.started, until }).collect()
}

/// True if there is an instant of the call, and for each row a state that may have been current then, such that
/// the states are those of whole transactions.
fn is_explained(answer: &Answer, commits: &[Commit]) -> bool {
    let candidates: Vec<(usize, Vec<Window>)> = answer
        .rows
        .iter()
        .map(|(row, said)| {
            let said = windows(*row, commits).into_iter().filter(|window| match said {
                Some(number) => window.state.present && window.state.number == *number,
                None => !window.state.present,
            });
            (*row, said.collect())
        })
        .collect();
    choose(&candidates, answer.started, answer.returned, &mut Vec::new(), commits)
}

/// Tries every choice of one candidate for each row.
fn choose(
    candidates: &[(usize, Vec<Window>)],
    from: u64,
    until: u64,
    chosen: &mut Vec<(usize, i64)>,
    commits: &[Commit],
) -> bool {
    let Some(((row, windows), rest)) = candidates.split_first() else {
        return commits.iter().all(|commit| is_seen_whole_or_not_at_all(commit, chosen));
    };
    windows.iter().any(|window| {
        let (from, until) = (from.max(window.from), until.min(window.until));
        chosen.push((*row, window.state.number));
        let explained = from <= until && choose(rest, from, until, chosen, commits);
        chosen.pop();
        explained
    })
}

fn is_seen_whole_or_not_at_all(commit: &Commit, chosen: &[(usize, i64)]) -> bool {
    let mut seen = chosen.iter().filter_map(|(row, number)| Some(*number >= commit.states[*row]?.number));
    seen.next().is_none_or(|first| seen.all(|other| other == first))
}

fn explanation(answer: &Answer, commits: &[Commit]) -> String {
    let mut text = format!(
        "no instant between {} and {} explains the answer {:?} to a read {}\n",
        answer.started, answer.returned, answer.rows, answer.call
    );
    for (row, _) in &answer.rows {
        for Window { state, from, until } in windows(*row, commits) {
            if from <= answer.returned && until.saturating_add(20) >= answer.started {
                text += &format!("row {row}: {state:?} may have been current between {from} and {until}\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(started: u64, returned: u64, states: &[(usize, i64, bool)]) -> Commit {
        let mut commit = Commit { started, returned, states: [None; ROWS] };
        for (row, number, present) in states {
            commit.states[*row] = Some(State { number: *number, present: *present });
        }
        commit
    }

    fn answer(started: u64, returned: u64, rows: &[(usize, Option<i64>)]) -> Answer {
        Answer { call: "a call", started, returned, rows: rows.to_vec() }
    }

    /// Rows 0 and 1 are there; then both change at once; then row 0 goes.
    fn commits() -> [Commit; 3] {
        [
            commit(0, 1, &[(0, 1, true), (1, 1, true)]),
            commit(10, 20, &[(0, 2, true), (1, 2, true)]),
            commit(30, 40, &[(0, 3, false)]),
        ]
    }

    #[test]
    fn either_state_may_be_seen_while_a_commit_is_under_way() {
        assert!(is_explained(&answer(12, 15, &[(0, Some(1))]), &commits()));
        assert!(is_explained(&answer(12, 15, &[(0, Some(2))]), &commits()));
    }

    #[test]
    fn a_state_is_seen_neither_before_nor_after_its_time() {
        assert!(!is_explained(&answer(5, 9, &[(0, Some(2))]), &commits()));
        assert!(!is_explained(&answer(21, 25, &[(0, Some(1))]), &commits()));
        assert!(!is_explained(&answer(21, 25, &[(0, None)]), &commits()));
        assert!(!is_explained(&answer(41, 45, &[(0, Some(2))]), &commits()));
        assert!(is_explained(&answer(41, 45, &[(0, None)]), &commits()));
    }

    #[test]
    fn a_transaction_is_not_seen_in_part() {
        assert!(is_explained(&answer(12, 15, &[(0, Some(2)), (1, Some(2))]), &commits()));
        assert!(!is_explained(&answer(12, 15, &[(0, Some(1)), (1, Some(2))]), &commits()));
    }

    #[test]
    fn rows_of_one_answer_share_an_instant() {
        let commits = [
            commit(0, 1, &[(0, 1, true), (1, 1, true)]),
            commit(10, 11, &[(0, 2, true)]),
            commit(20, 21, &[(1, 2, true)]),
        ];
        assert!(is_explained(&answer(5, 30, &[(0, Some(2)), (1, Some(1))]), &commits));
        assert!(!is_explained(&answer(5, 30, &[(0, Some(1)), (1, Some(2))]), &commits));
    }
}
