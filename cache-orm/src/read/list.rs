//! Reads by a list of keys: every slot in one round trip, one load for all that miss, one snapshot.
//!
//! What was found is looked at again after the load: if each entry still stands, all of them were current when
//! the load ran, so that they and the loaded rows are of one snapshot. If not, the database is asked for the
//! whole list.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use cache_core::{
    cache::{Lookup, Wanted},
    entry::Token,
    key::{Address, RowKey},
    lease::{Content, Fill, Lease},
};
use sea_orm::{DbErr, QueryResult, Value};

use crate::{
    classify::reason::BypassReason,
    keys,
    read::{
        alias::{Arrival, Lead},
        found::{Found, Look},
        load::absence,
        options::QueryMethod,
        plan::{Read, ReadContext},
        query::Query,
        rows::Rows,
    },
    registry::{ListRead, Order, ReadKind},
    row::{self, Row},
};

/// One key of a list, without repetition.
pub(super) struct ListedKey<'v> {
    key: RowKey,
    values: &'v [Value],
}

impl ListedKey<'_> {
    pub(super) fn key(&self) -> &RowKey {
        &self.key
    }
}

/// What the cache knows of one key.
enum State {
    /// An entry that answers it, and where it is.
    Hit { at: Address, token: Token, found: Found },
    /// Nothing usable. The slot that the load may fill, and what it holds.
    Miss { at: Address, replaces: Option<Token>, fills: Fills },
}

/// What the slot of a miss is for.
enum Fills {
    /// The row. If an alias led there, where that is, and its token.
    Row { alias: Option<(Address, Token)> },
    /// The alias of the key.
    Alias,
}

/// What was loaded for the keys that missed.
struct Loads {
    by_key: HashMap<RowKey, Arc<Rows>>,
    /// One for each loaded row, if each is the row of a key that was asked for.
    rows: Option<Vec<Arc<Row>>>,
}

impl<'r> ReadContext<'r> {
    pub(super) fn plan_list<'v>(
        &self,
        list: &'v ListRead<'r>,
        query: &Query<'v>,
    ) -> Result<(Read<'r>, Vec<ListedKey<'v>>), BypassReason> {
        let read = self.read(&list.shape.entity, list.shape.kind)?;
        if list.shape.ambiguous {
            return Err(BypassReason::AmbiguousEntity);
        }
        if query.method == QueryMethod::One {
            return Err(BypassReason::NotAKeyLookup);
        }
        if list.order != Order::Any && !read.is_orderable() {
            return Err(BypassReason::KeyOrder);
        }
        let keys = list.keys(query.values).ok_or(BypassReason::NotAKeyLookup)?;
        let mut seen = HashSet::with_capacity(keys.len());
        let mut listed = Vec::with_capacity(keys.len());
        for values in keys {
            // NULL is equal to nothing.
            if values.iter().any(keys::is_null) {
                continue;
            }
            let key = read.key(values)?;
            if seen.insert(key.clone()) {
                listed.push(ListedKey { key, values });
            }
        }
        Ok((read, listed))
    }
}

impl Read<'_> {
    /// The rows of the keys; `None` if the database must be asked for all of them.
    pub(super) async fn by_list(
        &self,
        list: &ListRead<'_>,
        listed: Vec<ListedKey<'_>>,
        query: &Query<'_>,
    ) -> Result<Option<Vec<QueryResult>>, DbErr> {
        if listed.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let Some((states, at_once)) = self.look_at(&listed).await else {
            self.count_unavailable();
            return Ok(None);
        };
        let (mut hits, mut missed) = (Vec::new(), Vec::new());
        let mut held = Vec::new();
        let mut wanted = Vec::new();
        for (one, state) in listed.iter().zip(&states) {
            match state {
                State::Hit { at, token, found } => {
                    held.push((self.wanted(at), *token));
                    hits.extend(found.row().cloned());
                }
                State::Miss { at, replaces, fills } => {
                    wanted.push((at.clone(), *replaces));
                    missed.push((one, fills));
                }
            }
        }
        if missed.is_empty() {
            let current = at_once || held.len() == 1 || self.revalidate(&held).await;
            return Ok(if current { self.in_order(hits, list.order) } else { None });
        }
        let leases = self.leases(&wanted).await;
        let loaded = match held.is_empty() {
            true => query.load(self.shared()).await?,
            false => {
                let keys: Vec<_> = missed.iter().map(|(one, _)| one.values).collect();
                let (sql, values) = list.of_keys(&keys, query.values);
                let misses = Query { sql: &sql, values: &values, method: QueryMethod::All };
                // The statement of the caller decides which error it gets.
                let Ok(loaded) = misses.load(self.shared()).await else { return Ok(None) };
                loaded
            }
        };
        let loads = self.attribute(&missed, &loaded);
        self.fill_misses(&missed, leases, &loads).await;
        if held.is_empty() {
            return Ok(Some(loaded));
        }
        match loads.rows {
            Some(rows) if self.revalidate(&held).await => Ok(self.merged(hits, rows, loaded, list.order)),
            _ => Ok(None),
        }
    }

    /// What the cache knows of each key, and whether all of it was so at one instant. `None` if the store can't
    /// be asked.
    async fn look_at(&self, listed: &[ListedKey<'_>]) -> Option<(Vec<State>, bool)> {
        match self.kind {
            ReadKind::Unique(unique) => self.look_at_aliases(unique, listed).await,
            _ => self.look_at_slots(listed).await,
        }
    }

    async fn look_at_slots(&self, listed: &[ListedKey<'_>]) -> Option<(Vec<State>, bool)> {
        let at: Vec<_> = listed.iter().map(|one| self.table.keys().row(&one.key)).collect();
        let (found, at_once) = self.lookups(&at).await?;
        let states =
            listed.iter().zip(at).zip(found).map(|((one, at), lookup)| match self.check(&one.key, lookup) {
                Look::Hit(found, token) => State::Hit { at, token, found },
                Look::Miss(replaces) => State::Miss { at, replaces, fills: Fills::Row { alias: None } },
                Look::Unavailable => State::Miss { at, replaces: None, fills: Fills::Row { alias: None } },
            });
        Some((states.collect(), at_once))
    }

    async fn look_at_aliases(&self, unique: usize, listed: &[ListedKey<'_>]) -> Option<(Vec<State>, bool)> {
        let (keys, name) = (self.table.keys(), &self.entity.uniques[unique].name);
        let at: Vec<_> = listed.iter().map(|one| keys.alias(name, &one.key)).collect();
        let (found, _) = self.lookups(&at).await?;
        let mut states = Vec::with_capacity(listed.len());
        // Where an alias led: the key's position, the slot and its primary key, and the alias.
        let mut led = Vec::new();
        for (index, ((one, at), alias)) in listed.iter().zip(at).zip(found).enumerate() {
            let fills = Fills::Alias;
            states.push(match alias {
                Lookup::Found(alias) => {
                    let token = alias.token;
                    match self.lead(&one.key, alias) {
                        Lead::Absent if !self.is_refresh() => State::Hit { at, token, found: Found::Absent },
                        Lead::To(primary) => {
                            led.push((index, keys.row(&primary), primary, (at.clone(), token)));
                            State::Miss { at, replaces: Some(token), fills }
                        }
                        Lead::Absent | Lead::Nowhere => State::Miss { at, replaces: Some(token), fills },
                    }
                }
                Lookup::Missing { replaces } => State::Miss { at, replaces, fills },
                Lookup::Unavailable => return None,
            });
        }
        let slots: Vec<_> = led.iter().map(|(_, at, ..)| at.clone()).collect();
        let (found, at_once) = self.lookups(&slots).await?;
        for ((index, at, primary, alias), lookup) in led.into_iter().zip(found) {
            let fills = Fills::Row { alias: Some(alias) };
            match lookup {
                Lookup::Found(row) => match self.arrive(&listed[index].key, &primary, row) {
                    Arrival::Row(rows, token) if !self.is_refresh() => {
                        states[index] = State::Hit { at, token, found: Found::Rows(rows) };
                    }
                    Arrival::Row(_, token) | Arrival::Unusable(token) => {
                        states[index] = State::Miss { at, replaces: Some(token), fills };
                    }
                    // The alias is out of date and is renewed.
                    Arrival::Elsewhere => {}
                },
                Lookup::Missing { replaces } => states[index] = State::Miss { at, replaces, fills },
                Lookup::Unavailable => return None,
            }
        }
        let mut absent = false;
        for state in &states {
            match state {
                State::Hit { found, .. } => {
                    absent |= matches!(found, Found::Absent);
                    self.count_hit(found);
                }
                State::Miss { .. } => self.count_miss(),
            }
        }
        // An absent alias was seen before the rows were.
        Some((states, at_once && !absent))
    }

    /// What several slots hold. `None` if the store can't be asked.
    async fn lookups(&self, at: &[Address]) -> Option<(Vec<Lookup>, bool)> {
        if at.is_empty() {
            return Some((Vec::new(), true));
        }
        let wanted: Vec<_> = at.iter().map(|at| self.wanted(at)).collect();
        let lookups = self.shared().cache.lookup_many(&wanted).await;
        let unavailable = lookups.found.iter().any(|lookup| matches!(lookup, Lookup::Unavailable));
        (!unavailable).then_some((lookups.found, lookups.at_once))
    }

    async fn revalidate(&self, held: &[(Wanted<'_>, Token)]) -> bool {
        self.shared().cache.revalidate(held).await
    }

    /// Finds out which key each loaded row is for.
    fn attribute(&self, missed: &[(&ListedKey<'_>, &Fills)], loaded: &[QueryResult]) -> Loads {
        let captured: Vec<_> = loaded.iter().map(|row| Rows::capture_one(self, row)).collect();
        let asked: HashSet<&RowKey> = missed.iter().map(|(one, _)| &one.key).collect();
        let mut by_key = HashMap::with_capacity(captured.len());
        let mut rows = Vec::with_capacity(captured.len());
        for captured in captured.iter().flatten() {
            if let (Some(key), Some(row)) = (captured.key(self, self.kind), captured.only())
                && asked.contains(&key)
            {
                by_key.insert(key, captured.clone());
                rows.push(row.clone());
            }
        }
        Loads { by_key, rows: (rows.len() == loaded.len()).then_some(rows) }
    }

    /// Fills the slots of the keys that missed with what was loaded for them.
    async fn fill_misses(
        &self,
        missed: &[(&ListedKey<'_>, &Fills)],
        leases: Vec<Option<Lease>>,
        loads: &Loads,
    ) {
        // A row that is not attributed may be that of any key, and so may one whose key is spelled in another
        // way than it was asked for: then nothing is known to be absent.
        let knows_absent = loads.rows.is_some() && self.is_exact() && self.entity.policy.absent;
        let cache = &self.shared().cache;
        let mut fills = Vec::with_capacity(missed.len());
        let (mut outdated, mut targets) = (Vec::new(), Vec::new());
        for ((one, slot), lease) in missed.iter().zip(leases) {
            let rows = loads.by_key.get(&one.key);
            let content = match (rows, slot) {
                (Some(rows), Fills::Row { alias }) => {
                    let leads_to = rows.key(self, ReadKind::Primary).map(|key| self.table.keys().row(&key));
                    match (&lease, alias) {
                        (Some(lease), _) if leads_to.is_some_and(|at| lease.is_for(&at)) => {
                            rows.payload(self).map(Content::Present)
                        }
                        (Some(_), Some((at, token))) => {
                            outdated.push((at.clone(), Some(*token)));
                            targets.push(Some(rows));
                            None
                        }
                        _ => None,
                    }
                }
                (Some(rows), Fills::Alias) => self.alias_to(rows).map(Content::Present),
                // No row has the unique key; the row in the slot may exist all the same. The alias is taken away.
                (None, Fills::Row { alias: Some((at, token)) }) => {
                    outdated.push((at.clone(), Some(*token)));
                    targets.push(None);
                    None
                }
                (None, _) => knows_absent.then(|| Content::Absent(absence(&one.key))),
            };
            fills.extend(lease.zip(content).map(|(lease, content)| self.fill_due(lease, content)));
        }
        cache.fill_many(fills).await;
        if !outdated.is_empty() {
            // Right without a lease before the load: an alias is compared on every hit.
            let leases = self.leases(&outdated).await;
            let renewed = leases.into_iter().zip(targets).filter_map(|(lease, rows)| {
                Some(self.fill_due(lease?, Content::Present(self.alias_to(rows?)?)))
            });
            cache.fill_many(renewed.collect()).await;
        }
    }

    fn fill_due(&self, lease: Lease, content: Content) -> Fill {
        Fill { lease, content, fingerprint: self.fingerprint, ttl: self.ttl() }
    }

    /// The rows of a list that was answered without the database.
    fn in_order(&self, mut rows: Vec<Arc<Row>>, order: Order) -> Option<Vec<QueryResult>> {
        if self.is_orderable() {
            rows.sort_by(|one, other| self.compare(one, other, order));
        }
        row::query_results(&rows)
    }

    /// Cached rows and loaded ones, in order.
    fn merged(
        &self,
        hits: Vec<Arc<Row>>,
        captured: Vec<Arc<Row>>,
        loaded: Vec<QueryResult>,
        order: Order,
    ) -> Option<Vec<QueryResult>> {
        let results = row::query_results(&hits)?.into_iter().chain(loaded);
        let mut rows: Vec<_> = hits.into_iter().chain(captured).zip(results).collect();
        if self.is_orderable() {
            rows.sort_by(|(one, _), (other, _)| self.compare(one, other, order));
        }
        Some(rows.into_iter().map(|(_, result)| result).collect())
    }

    /// True if the order of the primary key is known here as well as in the database.
    fn is_orderable(&self) -> bool {
        let eligibility = self.context.eligibility;
        let texts_by_bytes = eligibility.orders_texts_by_bytes();
        let mut classes = eligibility.classes(self.entity, &self.entity.primary);
        classes.all(|class| class.is_some_and(|class| class.is_orderable(texts_by_bytes)))
    }

    fn compare(&self, one: &Row, other: &Row, order: Order) -> Ordering {
        let classes = self.context.eligibility.classes(self.entity, &self.entity.primary);
        let columns = self.entity.primary.iter().zip(classes).map(|(column, class)| {
            let (one, other) = (&one.values()[*column], &other.values()[*column]);
            class.map_or(Ordering::Equal, |class| class.order(one, other))
        });
        let ascending = columns.fold(Ordering::Equal, Ordering::then);
        if order == Order::Descending { ascending.reverse() } else { ascending }
    }
}
