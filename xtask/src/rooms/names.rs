//! What a path means: the modules and items that it leads to, through every re-export.

use super::tree::Tree;

/// What a name stands for. One name may stand for several: a module and a function, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Module(usize),
    Item { file: String, name: String },
}

/// Imports that are being followed: two that name each other must not be followed forever.
type UnderWay = Vec<(usize, usize)>;

impl Tree {
    /// What `path` means in module `from`; nothing if it leads out of the crates. An item that belongs to a type (a
    /// variant, a method) is its type's.
    pub(super) fn resolve(&self, from: usize, path: &[String]) -> Vec<Thing> {
        let mut things = self.follow(from, path, &mut Vec::new());
        if things.iter().any(|thing| matches!(thing, Thing::Item { .. })) {
            things.retain(|thing| matches!(thing, Thing::Item { .. }));
        }
        things
    }

    /// The macro that `name!` calls in module `from`: it may stand in a module around it.
    pub(super) fn resolve_macro(&self, from: usize, name: &str) -> Vec<Thing> {
        let mut module = Some(from);
        while let Some(at) = module {
            if self.modules[at].macros.contains(name) {
                return vec![Thing::Item { file: self.modules[at].file.clone(), name: format!("{name}!") }];
            }
            module = self.modules[at].parent;
        }
        self.resolve(from, &[name.to_owned()])
    }

    fn follow(&self, from: usize, path: &[String], under_way: &mut UnderWay) -> Vec<Thing> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let (mut things, rest) = match (&**first, rest) {
            ("crate", rest) => (vec![Thing::Module(self.modules[from].root)], rest),
            ("self", rest) => (vec![Thing::Module(from)], rest),
            ("super", rest) => (self.parent(from), rest),
            ("", [name, rest @ ..]) => (self.of_crate(name), rest),
            (name, rest) => {
                let found = self.look_up(from, name, under_way);
                (if found.is_empty() { self.of_crate(name) } else { found }, rest)
            }
        };
        for name in rest {
            let modules: Vec<_> = modules(&things).collect();
            if modules.is_empty() {
                return things;
            }
            let inside: Vec<_> =
                modules.iter().flat_map(|module| self.member(*module, name, under_way)).collect();
            if inside.is_empty() {
                things.retain(|thing| matches!(thing, Thing::Item { .. }));
                return things;
            }
            things = inside;
        }
        things
    }

    /// What `module::name` means.
    fn member(&self, module: usize, name: &str, under_way: &mut UnderWay) -> Vec<Thing> {
        if name == "super" {
            return self.parent(module);
        }
        let found = self.look_up(module, name, under_way);
        let Some(here) = self.modules.get(module).filter(|here| found.is_empty() && here.expands) else {
            return found;
        };
        // Only a macro can have defined it.
        vec![Thing::Item { file: here.file.clone(), name: name.to_owned() }]
    }

    /// What `name` means in `module`: its own, what it imports by name, and else what it imports with `*`.
    fn look_up(&self, module: usize, name: &str, under_way: &mut UnderWay) -> Vec<Thing> {
        let here = &self.modules[module];
        let mut found: Vec<_> = here.children.get(name).copied().map(Thing::Module).into_iter().collect();
        if here.defined.contains(name) {
            found.push(Thing::Item { file: here.file.clone(), name: name.to_owned() });
        }
        for (index, import) in here.imports.iter().enumerate() {
            let entry = (module, index);
            if import.name.as_deref() == Some(name) && !under_way.contains(&entry) {
                under_way.push(entry);
                found.extend(self.follow(module, &import.path, under_way));
                under_way.pop();
            }
        }
        if !found.is_empty() {
            return found;
        }
        for (index, import) in here.imports.iter().enumerate() {
            let entry = (module, index);
            if import.name.is_none() && !under_way.contains(&entry) {
                under_way.push(entry);
                let sources = self.follow(module, &import.path, under_way);
                for source in modules(&sources) {
                    found.extend(self.look_up(source, name, under_way));
                }
                under_way.pop();
            }
        }
        found
    }

    fn parent(&self, module: usize) -> Vec<Thing> {
        self.modules[module].parent.map(Thing::Module).into_iter().collect()
    }

    fn of_crate(&self, name: &str) -> Vec<Thing> {
        self.crates.get(name).copied().map(Thing::Module).into_iter().collect()
    }
}

fn modules(things: &[Thing]) -> impl Iterator<Item = usize> {
    things.iter().filter_map(|thing| match thing {
        Thing::Module(module) => Some(*module),
        Thing::Item { .. } => None,
    })
}
