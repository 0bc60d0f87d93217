//! What is the same for every table: its rows, its keys, and how a piece of generic code is run for the table
//! of a row.

use std::fmt;

use sea_orm::{
    EntityTrait, FromQueryResult, IdenStatic, IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn,
    Value,
};

use crate::entities::{article, article_tag, badge, comment, counter, folder, person, profile, tag};

/// An entity of the schema.
pub(crate) trait Table:
    EntityTrait<
        Model: IntoActiveModel<Self::ActiveModel> + FromQueryResult + Clone + Sync + 'static,
        ActiveModel: From<Self::Model> + Send + 'static,
    >
{
    /// The unique keys besides the primary key.
    const UNIQUES: &'static [&'static [Self::Column]];

    /// The columns of the primary key.
    fn key() -> Vec<Self::Column> {
        Self::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect()
    }

    /// Any column: `number` counts round and round.
    fn column(number: usize) -> Self::Column {
        let columns: Vec<_> = Self::Column::iter().collect();
        columns[number % columns.len()]
    }
}

macro_rules! tables {
    ($($Table:ident $module:ident [$([$($column:ident),+]),*],)+) => {
        /// A row of any table. Where only its key matters, it names a row.
        #[derive(Clone, PartialEq)]
        pub(crate) enum Row {
            $($Table($module::Model),)+
        }

        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum TableName {
            $($Table,)+
        }

        impl TableName {
            pub(crate) const ALL: &[TableName] = &[$(TableName::$Table,)+];

            pub(crate) fn sql(self) -> &'static str {
                match self { $(TableName::$Table => stringify!($module),)+ }
            }
        }

        impl Row {
            pub(crate) fn table(&self) -> TableName {
                match self { $(Row::$Table(_) => TableName::$Table,)+ }
            }

            /// The primary key, readably.
            pub(crate) fn key(&self) -> String {
                on_row!(self, E, model => values::<E>(model, &E::key()))
            }

            /// Every column, readably.
            pub(crate) fn values(&self) -> String {
                on_row!(self, E, model => values::<E>(model, &<E as EntityTrait>::Column::iter().collect::<Vec<_>>()))
            }

            /// A unique key, readably.
            pub(crate) fn unique(&self, number: usize) -> String {
                on_row!(self, E, model => values::<E>(model, E::UNIQUES[number]))
            }

            /// How many unique keys its table has besides the primary key.
            pub(crate) fn uniques(&self) -> usize {
                on_row!(self, E, _model => E::UNIQUES.len())
            }
        }

        $(
            impl Table for $module::Entity {
                const UNIQUES: &'static [&'static [Self::Column]] = &[$(&[$($module::Column::$column),+]),*];
            }

            impl OfTable for $module::Entity {
                fn rows(rows: &[Row]) -> Vec<$module::Model> {
                    rows.iter().filter_map(|row| match row {
                        Row::$Table(model) => Some(model.clone()),
                        _ => None,
                    }).collect()
                }
            }
        )+
    };
}

/// The rows among these that belong to one table.
pub(crate) trait OfTable: Table {
    fn rows(rows: &[Row]) -> Vec<Self::Model>;
}

/// Runs an expression with `$E` as the entity of the row and `$model` as its model.
macro_rules! on_row {
    ($row:expr, $E:ident, $model:ident => $body:expr) => {{
        use $crate::{entities, tables::Row};
        match $row {
            Row::Person($model) => {
                type $E = entities::person::Entity;
                $body
            }
            Row::Profile($model) => {
                type $E = entities::profile::Entity;
                $body
            }
            Row::Folder($model) => {
                type $E = entities::folder::Entity;
                $body
            }
            Row::Article($model) => {
                type $E = entities::article::Entity;
                $body
            }
            Row::Comment($model) => {
                type $E = entities::comment::Entity;
                $body
            }
            Row::Tag($model) => {
                type $E = entities::tag::Entity;
                $body
            }
            Row::ArticleTag($model) => {
                type $E = entities::article_tag::Entity;
                $body
            }
            Row::Badge($model) => {
                type $E = entities::badge::Entity;
                $body
            }
            Row::Counter($model) => {
                type $E = entities::counter::Entity;
                $body
            }
        }
    }};
}
pub(crate) use on_row;

tables! {
    Person person [[Email]],
    Profile profile [[PersonId]],
    Folder folder [],
    Article article [[Title, Edition]],
    Comment comment [],
    Tag tag [[Name]],
    ArticleTag article_tag [],
    Badge badge [],
    Counter counter [],
}

fn values<E: Table>(model: &E::Model, columns: &[E::Column]) -> String {
    let values = columns.iter().map(|column| {
        let value = model.get(*column);
        let text = match &value {
            Value::Uuid(Some(uuid)) => format!("uuid {}", uuid.as_u128()),
            value => value.to_string(),
        };
        if columns.len() == 1 { text } else { format!("{}: {text}", column.as_str()) }
    });
    values.collect::<Vec<_>>().join(", ")
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.table().sql(), self.values())
    }
}
