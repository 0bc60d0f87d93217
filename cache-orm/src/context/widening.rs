//! What a text does by what the schema knows of it: what reads, as far as it shows, may write through a view or a
//! function.

use std::sync::Arc;

use sea_orm::ConnectionTrait;

use crate::{
    classify::{Class, ReadClass},
    context::Context,
};

impl Context {
    /// What a recognised read does if it goes to the database, and may write there.
    pub(crate) fn writing(&self, sql: &str) -> Option<Arc<Class>> {
        self.widened(&Class::Read(ReadClass::Select), sql)
    }

    /// What a text of this class does by what the schema knows of it, if that is more.
    pub(crate) fn widened(&self, class: &Class, sql: &str) -> Option<Arc<Class>> {
        if self.has_writing_functions() {
            self.current()?.widen(class, sql, self.backend).map(Arc::new)
        } else {
            None
        }
    }

    /// Has it learned, where it may matter.
    pub(crate) async fn learn_what_writes(self: &Arc<Self>) {
        if self.has_writing_functions() && self.current().is_none() {
            self.eligibility().await;
        }
    }

    /// True if a text that reads, as far as it shows, may write, and nobody knows whether it does.
    pub(crate) fn may_write_unseen(&self) -> bool {
        let is_learned = || self.current().is_some_and(|eligibility| eligibility.schema.is_some());
        self.has_writing_functions() && !self.db.is_mock_connection() && !is_learned()
    }

    fn has_writing_functions(&self) -> bool {
        self.dialect().sessions.functions_may_write
    }
}
