//! Reads by a list of keys: `is_in`, tuples of a composite key, `eq_any`, and what the loaders send.
//!
//! A list of `n` keys has a text for each `n`. Rendered once for one key and once for two, the text tells what
//! stands around the list and how the list goes on.

use std::sync::Arc;

use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, IntoSimpleExpr, Order as Direction, QueryFilter, QueryTrait, Select,
    Value,
    sea_query::{Expr, ExprTrait},
};

use super::{Entity, ReadKind};
use crate::dialect::{Dialect, Parameters};

/// What stands before every list but an array's.
const LIST: &str = " IN (";

/// What stands before an array.
const ARRAY: &str = "ANY(";

/// The order in which a statement wants its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Any order will do.
    Any,
    /// By primary key.
    Ascending,
    /// By primary key, from its end.
    Descending,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `IN ($1, $2)`
    Scalars,
    /// `IN (($1, $2), ($3, $4))`
    Tuples,
    /// `= ANY($1)`
    Array,
}

/// Reads by a list of keys, which differ in the number of keys and in their order.
#[derive(Clone)]
pub(crate) struct ListShape {
    pub(crate) entity: Arc<Entity>,
    pub(crate) kind: ReadKind,
    /// Another entity sends the same text.
    pub(crate) ambiguous: bool,
    around: Template,
}

/// The text around a list.
#[derive(Clone, Debug)]
struct Template {
    form: Form,
    /// Columns of a key.
    width: usize,
    numbered: bool,
    before: String,
    /// What may follow.
    after: Vec<(String, Order)>,
}

/// A statement that is a read by a list of keys.
#[derive(Clone, Copy)]
pub(crate) struct ListRead<'r> {
    pub(crate) shape: &'r ListShape,
    pub(crate) order: Order,
    after: &'r str,
    /// The number of keys that the text has room for; an array's is not in the text.
    keys: Option<usize>,
}

/// A list as an entity describes it.
pub(crate) struct DescribedList {
    kind: ReadKind,
    around: Template,
}

/// Where a list is found.
pub(super) enum Texts {
    /// By one of these texts.
    Fixed(Vec<String>),
    /// By the text before the list.
    Template(String),
}

/// The text up to and with the parenthesis of the first list.
pub(super) fn before_list(sql: &str) -> Option<&str> {
    Some(&sql[..sql.find(LIST)? + LIST.len()])
}

impl DescribedList {
    pub(super) fn texts(&self) -> Texts {
        match self.around.form {
            Form::Array => {
                let texts = self.around.after.iter().map(|(after, _)| self.around.text(1, after));
                Texts::Fixed(texts.collect())
            }
            Form::Scalars | Form::Tuples => Texts::Template(self.around.before.clone()),
        }
    }
}

impl ListShape {
    pub(super) fn new(list: DescribedList, entity: Arc<Entity>) -> Self {
        ListShape { entity, kind: list.kind, ambiguous: false, around: list.around }
    }

    /// Takes the text apart, if it is such a list throughout.
    pub(super) fn parse(&self, sql: &str) -> Option<ListRead<'_>> {
        let mut rest = sql.strip_prefix(&*self.around.before)?;
        let mut keys = 0;
        loop {
            rest = self.around.skip_key(rest, keys)?;
            keys += 1;
            match rest.strip_prefix(", ") {
                Some(more) => rest = more,
                None => break,
            }
        }
        let (after, order) = self.around.after.iter().find(|(after, _)| after == rest)?;
        Some(ListRead { shape: self, order: *order, after, keys: Some(keys) })
    }

    /// The same for a text that is known to be this one.
    pub(super) fn as_array(&self, sql: &str) -> Option<ListRead<'_>> {
        let rest = sql.strip_prefix(&*self.around.before)?.strip_prefix("$1")?;
        let (after, order) = self.around.after.iter().find(|(after, _)| after == rest)?;
        Some(ListRead { shape: self, order: *order, after, keys: None })
    }
}

impl ListRead<'_> {
    /// The values of each key; `None` if they are not what the text has room for.
    pub(crate) fn keys<'v>(&self, values: &'v [Value]) -> Option<Vec<&'v [Value]>> {
        let Some(keys) = self.keys else {
            return match values {
                [array] => Some(elements(array)?.chunks(1).collect()),
                _ => None,
            };
        };
        let width = self.shape.around.width;
        (values.len() == keys * width).then(|| values.chunks(width).collect())
    }

    /// The same read for other keys.
    pub(crate) fn of_keys(&self, keys: &[&[Value]], values: &[Value]) -> (String, Vec<Value>) {
        let around = &self.shape.around;
        let sql = around.text(keys.len(), self.after);
        let chosen = keys.iter().flat_map(|key| key.iter().cloned()).collect();
        match around.form {
            Form::Array => {
                (sql, values.first().map(|array| with_elements(array, chosen)).into_iter().collect())
            }
            Form::Scalars | Form::Tuples => (sql, chosen),
        }
    }
}

#[cfg(feature = "postgres-array")]
fn elements(array: &Value) -> Option<&[Value]> {
    match array {
        Value::Array(_, Some(elements)) => Some(elements),
        _ => None,
    }
}

#[cfg(feature = "postgres-array")]
fn with_elements(array: &Value, elements: Vec<Value>) -> Value {
    match array {
        Value::Array(kind, _) => Value::Array(kind.clone(), Some(Box::new(elements))),
        other => other.clone(),
    }
}

#[cfg(not(feature = "postgres-array"))]
fn elements(_: &Value) -> Option<&[Value]> {
    None
}

#[cfg(not(feature = "postgres-array"))]
fn with_elements(array: &Value, _: Vec<Value>) -> Value {
    array.clone()
}

impl Template {
    /// The statement with room for so many keys.
    fn text(&self, keys: usize, after: &str) -> String {
        let mut sql = self.before.clone();
        let keys = if self.form == Form::Array { 1 } else { keys };
        for key in 0..keys {
            if key > 0 {
                sql.push_str(", ");
            }
            self.push_key(key, &mut sql);
        }
        sql.push_str(after);
        sql
    }

    fn push_key(&self, key: usize, sql: &mut String) {
        let tuple = self.form == Form::Tuples;
        sql.push_str(if tuple { "(" } else { "" });
        for part in 0..self.width {
            if part > 0 {
                sql.push_str(", ");
            }
            if self.numbered {
                sql.push('$');
                sql.push_str(&(key * self.width + part + 1).to_string());
            } else {
                sql.push('?');
            }
        }
        sql.push_str(if tuple { ")" } else { "" });
    }

    /// What follows the key of this number, if the text begins with it.
    fn skip_key<'t>(&self, mut text: &'t str, key: usize) -> Option<&'t str> {
        let tuple = self.form == Form::Tuples;
        if tuple {
            text = text.strip_prefix('(')?;
        }
        for part in 0..self.width {
            if part > 0 {
                text = text.strip_prefix(", ")?;
            }
            text = if self.numbered {
                let digits = text.strip_prefix('$')?;
                let end = digits.bytes().take_while(u8::is_ascii_digit).count();
                let number: usize = digits[..end].parse().ok()?;
                (number == key * self.width + part + 1).then_some(&digits[end..])?
            } else {
                text.strip_prefix('?')?
            };
        }
        if tuple { text.strip_prefix(')') } else { Some(text) }
    }

    /// Learns what stands around a list from its text for one key and for two. `None` if the text is not what
    /// this module expects: such a list is not recognised then.
    fn of_texts(
        form: Form,
        width: usize,
        backend: DbBackend,
        texts: impl Fn(usize, Order) -> String,
    ) -> Option<Self> {
        let mut around = Template {
            form,
            width,
            numbered: Dialect::of(backend).tokens.parameters == Parameters::Numbered,
            before: String::new(),
            after: Vec::new(),
        };
        for order in [Order::Any, Order::Ascending, Order::Descending] {
            let (one, two) = (texts(1, order), texts(2, order));
            let list = list_in(&one, form)?;
            around.before = one[..list].to_owned();
            let after = around.skip_key(&one[list..], 0)?.to_owned();
            if around.text(1, &after) != one || around.text(2, &after) != two {
                return None;
            }
            around.after.push((after, order));
        }
        Some(around)
    }
}

/// Where the first key stands.
fn list_in(sql: &str, form: Form) -> Option<usize> {
    match form {
        Form::Scalars | Form::Tuples => before_list(sql).map(str::len),
        Form::Array => sql.find(ARRAY).map(|at| at + ARRAY.len()),
    }
}

/// The lists of keys over these columns.
pub(super) fn lists<E: EntityTrait>(
    kind: ReadKind,
    key: &[E::Column],
    backend: DbBackend,
) -> Vec<DescribedList> {
    let select = |filter: Expr, order| {
        let select: Select<E> = E::find().filter(filter);
        let select = match order {
            Order::Any => select,
            Order::Ascending => select.order_by_id(Direction::Asc),
            Order::Descending => select.order_by_id(Direction::Desc),
        };
        select.build(backend).sql
    };
    // The values do not matter: they are bound, never part of the text.
    let scalars = |keys, order| select(key[0].is_in(vec![0; keys]), order);
    // Columns are named with their table, or alone.
    let named: [fn(&E::Column) -> Expr; 2] =
        [|column| column.into_simple_expr(), |column| Expr::col(*column)];
    let tuples = named.map(|name| {
        Template::of_texts(Form::Tuples, key.len(), backend, |keys, order| {
            let tuple = || Expr::tuple(key.iter().map(|_| Expr::val(0)));
            select(Expr::tuple(key.iter().map(name)).is_in((0..keys).map(|_| tuple())), order)
        })
    });
    let mut lists = Vec::from(tuples);
    if key.len() == 1 {
        lists.push(Template::of_texts(Form::Scalars, 1, backend, scalars));
    }
    #[cfg(feature = "postgres-array")]
    if key.len() == 1 && Dialect::of(backend).types.arrays {
        let array = |_, order| select(key[0].eq_any([0]), order);
        lists.push(Template::of_texts(Form::Array, 1, backend, array));
    }
    lists.into_iter().flatten().map(|around| DescribedList { kind, around }).collect()
}
