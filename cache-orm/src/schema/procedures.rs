//! MySQL and MariaDB: which procedures leave the session as it is.
//!
//! A procedure may begin a transaction, or change a setting, and leave that to whoever uses the pooled connection next.
//! Its body tells, where the user may see it.

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, DbErr};

use super::query::rows;
use crate::classify::hidden::{self, Hidden};

/// A body that the user may not see comes as NULL.
const PROCEDURES: &str = "SELECT CAST(ROUTINE_SCHEMA AS CHAR), CAST(ROUTINE_NAME AS CHAR), \
    CAST(ROUTINE_DEFINITION AS CHAR) FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' \
    AND ROUTINE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

const PARAMETERS: &str = "SELECT CAST(SPECIFIC_SCHEMA AS CHAR), CAST(SPECIFIC_NAME AS CHAR), \
    CAST(PARAMETER_NAME AS CHAR) FROM information_schema.PARAMETERS WHERE ROUTINE_TYPE = 'PROCEDURE' \
    AND SPECIFIC_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

/// The procedures that leave no transaction open and change no setting, by last name in lower case.
///
/// # Errors
/// The database's own.
pub(super) async fn quiet(db: &impl ConnectionTrait) -> Result<HashSet<String>, DbErr> {
    let procedures = rows(db, PROCEDURES).await?;
    if procedures.is_empty() {
        return Ok(HashSet::new());
    }
    let mut parameters: HashMap<[String; 2], Vec<String>> = HashMap::new();
    for [schema, procedure, parameter] in rows(db, PARAMETERS).await? {
        parameters.entry([schema, procedure]).or_default().push(parameter);
    }
    let looked_at = procedures.into_iter().map(|[schema, name, body]| {
        let last_name = name.to_lowercase();
        let hidden = match body.as_str() {
            "" => Hidden { changes: true, ..Hidden::default() },
            body => hidden::of_body(body, parameters.get(&[schema, name]).map_or(&[], Vec::as_slice)),
        };
        (last_name, hidden)
    });
    Ok(quiet_among(looked_at.collect()))
}

/// Those that neither change the session nor call one that may, however deep. A name may stand for several
/// procedures, in several databases: all of them count.
fn quiet_among(procedures: Vec<(String, Hidden)>) -> HashSet<String> {
    let mut quiet: HashSet<String> = procedures.iter().map(|(name, _)| name.clone()).collect();
    loop {
        let is_loud =
            |hidden: &Hidden| hidden.changes || hidden.calls.iter().any(|call| !quiet.contains(call));
        let loud: Vec<_> = procedures
            .iter()
            .filter(|(name, hidden)| quiet.contains(name) && is_loud(hidden))
            .map(|(name, _)| name.clone())
            .collect();
        if loud.is_empty() {
            return quiet;
        }
        loud.iter().for_each(|name| _ = quiet.remove(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn procedure(name: &str, changes: bool, calls: &[&str]) -> (String, Hidden) {
        (
            name.into(),
            Hidden { changes, defines: false, calls: calls.iter().map(|call| call.to_string()).collect() },
        )
    }

    #[test]
    fn who_calls_a_loud_one_is_loud_and_circles_end() {
        let quiet = quiet_among(vec![
            procedure("quiet", false, &["circle"]),
            procedure("circle", false, &["quiet"]),
            procedure("loud", true, &[]),
            procedure("calls", false, &["quiet", "loud"]),
            procedure("calls_it", false, &["calls"]),
            procedure("stranger", false, &["nobody_knows"]),
            procedure("twice", false, &[]),
            procedure("twice", true, &[]),
        ]);
        assert_eq!(quiet, HashSet::from(["quiet".into(), "circle".into()]));
    }
}
