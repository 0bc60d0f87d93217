//! What the cache would do with a statement, and why.

use std::fmt;

use sea_orm::{QueryTrait, Statement};

use crate::{
    classify::{Class, reason::BypassReason},
    connection::{CachedConnection, query::reason_of},
    context::Context,
    eligibility::Eligibility,
    read::ReadContext,
    registry::Recognised,
    write::{self, Plan},
};

/// What the cache would do with a statement. [`Display`](fmt::Display) says it in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Explanation {
    /// A read that is answered from these cells, and fills them.
    #[non_exhaustive]
    Cached {
        /// The table, as its entity names it.
        table: String,
        /// The slots or aliases that are looked into: the names of the store. They hold the values of keys.
        cells: Vec<String>,
    },
    /// A read that goes to the database.
    #[non_exhaustive]
    Bypassed {
        /// The table whose read it was recognised as, if any.
        table: Option<String>,
        /// Why.
        reason: BypassReason,
    },
    /// A write that invalidates these cells before it can commit.
    #[non_exhaustive]
    Invalidates {
        /// The cells that are fenced.
        cells: Vec<String>,
        /// The tables of which every row is invalidated.
        whole_tables: Vec<String>,
        /// It is run with RETURNING in a transaction, and invalidates just the rows that it returns; `cells` and
        /// `whole_tables` are what it changes at most.
        tells_its_rows: bool,
    },
}

impl CachedConnection {
    /// What the cache would do with a query of SeaORM, and why. Executes nothing, and asks the database for no more than
    /// its schema.
    ///
    /// ```
    /// # use cache_orm::CachedConnection;
    /// # use sea_orm::EntityTrait;
    /// # async fn show<E: EntityTrait>(db: &CachedConnection) {
    /// println!("{}", db.explain(&E::find()).await);
    /// # }
    /// ```
    pub async fn explain<Q: QueryTrait>(&self, query: &Q) -> Explanation {
        self.explain_raw(&query.build(self.get_database_backend())).await
    }

    /// The same for a statement.
    pub async fn explain_raw(&self, statement: &Statement) -> Explanation {
        let shared = &self.shared;
        let eligibility = shared.eligibility().await;
        if let Some(read) = shared.registry.read(&statement.sql) {
            let context = ReadContext { shared, eligibility: &eligibility, options: self.options };
            return explain_read(&context, &read, statement);
        }
        shared.learn_what_writes().await;
        let class = shared.classes.of(&statement.sql);
        let class = shared.widened(&class, &statement.sql).unwrap_or(class);
        match &*class {
            Class::Read(kind) => Explanation::Bypassed { table: None, reason: reason_of(*kind) },
            class => explain_write(shared, &eligibility, class, statement),
        }
    }
}

fn explain_read<'r>(
    context: &ReadContext<'r>,
    read: &'r Recognised<'r>,
    statement: &'r Statement,
) -> Explanation {
    let table = read.entity().label.clone();
    match context.cells(read, statement) {
        Ok(cells) => {
            let cells = cells.iter().map(|cell| cell.as_str().to_owned()).collect();
            Explanation::Cached { table, cells }
        }
        Err(reason) => Explanation::Bypassed { table: Some(table), reason },
    }
}

fn explain_write(
    shared: &Context,
    eligibility: &Eligibility,
    class: &Class,
    statement: &Statement,
) -> Explanation {
    let plan = Plan::of(shared, eligibility, class, statement);
    let affected = match &plan {
        Some(plan) => plan.at_most().clone(),
        None => write::affected::by(shared, Some(eligibility), class, statement.values.as_ref()),
    };
    Explanation::Invalidates {
        cells: affected.cells().map(|cell| cell.as_str().to_owned()).collect(),
        whole_tables: affected.whole_tables().map(str::to_owned).collect(),
        tells_its_rows: plan.is_some(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Explanation::Cached { table, cells } => {
                write!(f, "a read of {table}, answered from the cache: {}", cells.join(", "))
            }
            Explanation::Bypassed { table: Some(table), reason } => {
                write!(f, "a read of {table}, sent to the database: {reason}")
            }
            Explanation::Bypassed { table: None, reason } => {
                write!(f, "a read, sent to the database: {reason}")
            }
            Explanation::Invalidates { cells, .. } if cells.is_empty() => {
                write!(f, "a write that invalidates nothing")
            }
            Explanation::Invalidates { whole_tables, tells_its_rows: true, .. } => {
                write!(
                    f,
                    "a write that tells its rows: it invalidates those that it returns, of {} at most",
                    whole_tables.join(", ")
                )
            }
            Explanation::Invalidates { cells, whole_tables, .. } => {
                write!(f, "a write that invalidates {} cells", cells.len())?;
                if whole_tables.is_empty() {
                    write!(f, ": {}", cells.join(", "))
                } else {
                    write!(f, ", among them every row of {}", whole_tables.join(", "))
                }
            }
        }
    }
}
