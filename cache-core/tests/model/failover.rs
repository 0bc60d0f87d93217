//! Failover: two servers that replicate asynchronously, and processes that follow their master.
//!
//! A model of its own, with one row and real slots. A server that is deposed goes on by itself for a while, with
//! whoever is cut off with it, until it learns that it is a replica; what it had not replicated by then is lost,
//! and so is what its successor did not replicate to it. An entry's epoch stands for the incarnation that stored
//! it, and a lease's token holds the incarnation as well.
//!
//! While a process is cut off, or has not come over to the new master, the promise is broken: nobody there hears
//! of its fences. The property is that nothing stale is left once every writer has come over and released.

use std::fmt;

use cache_core::{
    entry::{Token, Writer as WriterId},
    slot::{Operation, Outcome, Slot},
};
use stateright::{Model, Property};

use crate::store::{Cell, LATER, NOW, Store, entry};

/// The row's slot.
const ROW: Cell = Cell::Row(0);

/// One rule of `docs/protocol.md`, that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The number of an incarnation is random, bound to the reign of the master that keeps it. Off: it is the
    /// master's run id.
    RandomIncarnations,
    /// A reign ends with a promotion as well. Off: with a restart alone.
    PromotionEndsReign,
    /// A process that comes to another incarnation than its last one invalidates its tables there.
    ArrivalInvalidates,
}

pub(crate) const RULES: [Rule; 3] =
    [Rule::RandomIncarnations, Rule::PromotionEndsReign, Rule::ArrivalInvalidates];

/// The master fails over twice, there and back, while one writer updates the row and two readers read it.
pub(crate) struct Failover {
    pub(crate) off: Option<Rule>,
}

const WRITER: usize = 0;
const PROCESSES: usize = 3;
const FAILOVERS: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Role {
    Master,
    /// Deposed, and does not know it yet.
    CutOff,
    Replica,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Server {
    role: Role,
    /// How often anybody was promoted when this server was last; a fact of its own.
    promotion: u8,
    data: Data,
}

/// What is replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Data {
    incarnation: Option<Incarnation>,
    store: Store,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Incarnation {
    run: usize,
    promotion: u8,
    number: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    /// The server, and the incarnation that it was when this process connected.
    session: Option<(usize, u64)>,
    last: Option<u64>,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Beginning,
    Fenced,
    Committed,
    Leased(Token),
    Loaded(Token, u8),
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The row: how often it was updated.
    row: u8,
    servers: [Server; 2],
    processes: [Process; PROCESSES],
    promotions: u8,
    numbers: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    FailOver,
    LearnRole(usize),
    Replicate,
    Connect(usize),
    Disconnect(usize),
    Fence,
    Commit,
    Release,
    Lease(usize),
    Load(usize),
    Fill(usize),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process =
            |at: &usize| if *at == WRITER { "the writer".to_owned() } else { format!("reader {at}") };
        match self {
            Action::FailOver => f.write_str("the replica is promoted"),
            Action::LearnRole(server) => {
                write!(f, "server {server} learns that it is a replica, and closes its connections")
            }
            Action::Replicate => f.write_str("the replica catches up"),
            Action::Connect(at) => write!(f, "{} connects to the master", process(at)),
            Action::Disconnect(at) => write!(f, "{} leaves the former master", process(at)),
            Action::Fence => f.write_str("the writer fences"),
            Action::Commit => f.write_str("the writer commits"),
            Action::Release => f.write_str("the writer releases"),
            Action::Lease(at) => write!(f, "{} asks for the lease", process(at)),
            Action::Load(at) => write!(f, "{} loads", process(at)),
            Action::Fill(at) => write!(f, "{} fills", process(at)),
        }
    }
}

impl Failover {
    fn keeps(&self, rule: Rule) -> bool {
        self.off != Some(rule)
    }

    /// What the script at connection answers.
    fn incarnation(&self, world: &mut World, at: usize) -> u64 {
        if !self.keeps(Rule::RandomIncarnations) {
            return at as u64;
        }
        let server = &mut world.servers[at];
        let same_reign = |held: &Incarnation| {
            held.run == at && (held.promotion == server.promotion || !self.keeps(Rule::PromotionEndsReign))
        };
        if let Some(held) = server.data.incarnation.filter(same_reign) {
            return held.number;
        }
        let number = world.numbers;
        world.numbers += 1;
        server.data.incarnation = Some(Incarnation { run: at, promotion: server.promotion, number });
        number
    }

    /// Executes an operation of a process. What another incarnation stored is empty to it.
    fn run(&self, world: &mut World, process: usize, operation: Operation) -> Outcome {
        let (server, number) = world.processes[process].session.expect("only the connected are asked to act");
        let store = &mut world.servers[server].data.store;
        let foreign = match store.get(ROW) {
            Slot::Filled { entry, .. } => entry.epoch.map(|epoch| epoch.0) != Some(number),
            Slot::Leased { token, .. } => incarnation_of(*token) != number,
            _ => false,
        };
        if foreign {
            store.evict(ROW);
        }
        store.run(ROW, operation, None)
    }

    fn connect(&self, world: &mut World, process: usize) {
        let at = world.master();
        let number = self.incarnation(world, at);
        world.processes[process].session = Some((at, number));
        let last = world.processes[process].last.replace(number);
        if last.is_some_and(|last| last != number) && self.keeps(Rule::ArrivalInvalidates) {
            // A fence that is born expired. In truth it is placed on the table's epochs.
            self.run(world, process, Operation::Fence { writer: WriterId(9), until: NOW });
        }
    }
}

fn token(process: usize, number: u64) -> Token {
    Token(number * 8 + process as u64)
}

fn incarnation_of(token: Token) -> u64 {
    token.0 / 8
}

impl World {
    fn master(&self) -> usize {
        self.servers.iter().position(|server| server.role == Role::Master).expect("there is always one")
    }

    /// The row that a hit of this process would answer with.
    fn hit(&self, process: usize) -> Option<u8> {
        let (server, number) = self.processes[process].session?;
        match self.servers[server].data.store.get(ROW) {
            Slot::Filled { entry, .. } if entry.epoch.map(|epoch| epoch.0) == Some(number) => {
                Some(entry.payload.to_bytes()[0])
            }
            _ => None,
        }
    }

    fn at_master(&self, process: usize) -> bool {
        self.processes[process].session.is_some_and(|(server, _)| server == self.master())
    }

    /// The writer has come over and released: no hit of anybody who has is stale.
    fn is_right_at_rest(&self) -> bool {
        let rests = self.processes[WRITER].step == Step::Done && self.at_master(WRITER);
        let right = |process| !self.at_master(process) || self.hit(process).is_none_or(|row| row == self.row);
        !rests || (0..PROCESSES).all(right)
    }
}

impl Model for Failover {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let server = |role| Server { role, promotion: 0, data: Data::default() };
        let process = Process { session: None, last: None, step: Step::Beginning };
        vec![World {
            row: 0,
            servers: [server(Role::Master), server(Role::Replica)],
            processes: [process.clone(), process.clone(), process],
            promotions: 0,
            numbers: 0,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let other = 1 - world.master();
        match world.servers[other].role {
            Role::Replica => {
                actions.push(Action::Replicate);
                if world.promotions < FAILOVERS {
                    actions.push(Action::FailOver);
                }
            }
            Role::CutOff => actions.push(Action::LearnRole(other)),
            Role::Master => unreachable!("there is one master"),
        }
        for (at, process) in world.processes.iter().enumerate() {
            if process.session.is_none() {
                actions.push(Action::Connect(at));
                continue;
            }
            if !world.at_master(at) {
                actions.push(Action::Disconnect(at));
            }
            match process.step {
                Step::Beginning if at == WRITER => actions.push(Action::Fence),
                Step::Beginning if world.hit(at).is_none() => actions.push(Action::Lease(at)),
                Step::Committed => actions.push(Action::Release),
                Step::Loaded(..) => actions.push(Action::Fill(at)),
                _ => {}
            }
        }
        // The database is asked whatever becomes of the store.
        for (at, process) in world.processes.iter().enumerate() {
            match process.step {
                Step::Fenced => actions.push(Action::Commit),
                Step::Leased(_) => actions.push(Action::Load(at)),
                _ => {}
            }
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::FailOver => {
                let from = world.master();
                world.promotions += 1;
                world.servers[from].role = Role::CutOff;
                world.servers[1 - from].role = Role::Master;
                world.servers[1 - from].promotion = world.promotions;
            }
            Action::LearnRole(server) => {
                world.servers[server].role = Role::Replica;
                for process in &mut world.processes {
                    process.session = process.session.filter(|(at, _)| *at != server);
                }
            }
            Action::Replicate => {
                let master = world.master();
                world.servers[1 - master].data = world.servers[master].data.clone();
            }
            Action::Connect(at) => self.connect(&mut world, at),
            Action::Disconnect(at) => world.processes[at].session = None,
            Action::Fence => {
                self.run(&mut world, WRITER, Operation::Fence { writer: WriterId(0), until: LATER });
                world.processes[WRITER].step = Step::Fenced;
            }
            Action::Commit => {
                world.row += 1;
                world.processes[WRITER].step = Step::Committed;
            }
            Action::Release => {
                self.run(&mut world, WRITER, Operation::Release { writer: WriterId(0) });
                world.processes[WRITER].step = Step::Done;
            }
            Action::Lease(at) => {
                let (_, number) = before.processes[at].session?;
                let token = token(at, number);
                let lease = Operation::Lease { token, until: LATER, replaces: None };
                if self.run(&mut world, at, lease) != Outcome::Granted {
                    return None;
                }
                world.processes[at].step = Step::Leased(token);
            }
            Action::Load(at) => {
                let Step::Leased(token) = before.processes[at].step else { return None };
                world.processes[at].step = Step::Loaded(token, world.row);
            }
            Action::Fill(at) => {
                let Step::Loaded(token, row) = before.processes[at].step else { return None };
                let (_, number) = before.processes[at].session?;
                let entry = entry(token, Some(number), None, row);
                self.run(&mut world, at, Operation::Fill { entry, until: LATER });
                world.processes[at].step = Step::Done;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing stale at rest", |_, world: &World| world.is_right_at_rest()),
            Property::sometimes("a hit after two failovers", |_, world: &World| {
                world.promotions == FAILOVERS && world.at_master(1) && world.hit(1).is_some()
            }),
            Property::sometimes("an old row before the writer has come over", |_, world: &World| {
                !world.at_master(WRITER)
                    && world.at_master(1)
                    && world.hit(1).is_some_and(|row| row < world.row)
            }),
        ]
    }
}
