//! The modules of the crates, and the names that each declares.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, UseTree, Visibility};

use super::conditions::is_for_tests;
use crate::Result;

/// Files by their paths from the workspace: `cache-core/src/key.rs`.
pub(super) type Sources = BTreeMap<String, String>;

/// The segments of a path as it is written. A leading `::` is an empty segment.
pub(super) type Path = Vec<String>;

/// The modules of all crates.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
    /// The root module of each crate, by the name that code gives the crate.
    pub(super) crates: BTreeMap<String, usize>,
}

/// A module: a file, or a part of one in braces.
pub(super) struct Module {
    pub(super) file: String,
    pub(super) root: usize,
    pub(super) parent: Option<usize>,
    /// Without those for tests.
    pub(super) items: Vec<Item>,
    pub(super) children: BTreeMap<String, usize>,
    /// Items that the module defines, macros apart.
    pub(super) defined: BTreeSet<String>,
    pub(super) macros: BTreeSet<String>,
    /// Names that `use` brings in.
    pub(super) imports: Vec<Import>,
    /// A macro stands among the items: it may define names that nobody can see without expanding it.
    pub(super) expands: bool,
}

/// One leaf of a `use`.
pub(super) struct Import {
    /// `None` for `*`.
    pub(super) name: Option<String>,
    pub(super) path: Path,
    /// It hands the name on.
    pub(super) is_public: bool,
}

impl Tree {
    /// Reads the crates in these folders.
    ///
    /// # Errors
    /// A file that is missing, that is no Rust, or that stands elsewhere by `#[path]`.
    pub(super) fn of(sources: &Sources, crates: &[&str]) -> Result<Self> {
        let mut tree = Tree::default();
        for folder in crates {
            let root = tree.modules.len();
            let source = format!("{folder}/src");
            tree.read(sources, format!("{source}/lib.rs"), &source, root, None)?;
            tree.crates.insert(folder.replace('-', "_"), root);
        }
        Ok(tree)
    }

    /// Adds the module in `file`, whose children stand in `folder`.
    fn read(
        &mut self,
        sources: &Sources,
        file: String,
        folder: &str,
        root: usize,
        parent: Option<usize>,
    ) -> Result<usize> {
        let text = sources.get(&file).ok_or_else(|| format!("{file} is missing"))?;
        let parsed = syn::parse_file(text).map_err(|error| format!("{file}: {error}"))?;
        self.add(sources, file, parsed.items, folder, root, parent)
    }

    fn add(
        &mut self,
        sources: &Sources,
        file: String,
        items: Vec<Item>,
        folder: &str,
        root: usize,
        parent: Option<usize>,
    ) -> Result<usize> {
        let own = self.modules.len();
        self.modules.push(Module::empty(file.clone(), root, parent));
        let mut kept = Vec::new();
        for item in items {
            if is_for_tests(attributes(&item)) {
                continue;
            }
            let Item::Mod(module) = item else {
                self.modules[own].declare(&item);
                kept.push(item);
                continue;
            };
            let name = module.ident.to_string();
            if module.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
                return Err(format!("{file}: #[path] of module {name} is not followed").into());
            }
            let folder = format!("{folder}/{name}");
            let child = match module.content {
                Some((_, items)) => self.add(sources, file.clone(), items, &folder, root, Some(own))?,
                None => {
                    let beside = format!("{folder}.rs");
                    let inside = format!("{folder}/mod.rs");
                    let file = if sources.contains_key(&beside) { beside } else { inside };
                    self.read(sources, file, &folder, root, Some(own))?
                }
            };
            self.modules[own].children.insert(name, child);
        }
        self.modules[own].items = kept;
        Ok(own)
    }
}

impl Module {
    fn empty(file: String, root: usize, parent: Option<usize>) -> Self {
        Module {
            file,
            root,
            parent,
            items: Vec::new(),
            children: BTreeMap::new(),
            defined: BTreeSet::new(),
            macros: BTreeSet::new(),
            imports: Vec::new(),
            expands: false,
        }
    }

    fn declare(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(item) => {
                match &item.ident {
                    Some(name) => _ = self.macros.insert(name.to_string()),
                    None => self.expands = true,
                }
                return;
            }
            Item::Use(item) => {
                let is_public = !matches!(item.vis, Visibility::Inherited);
                let start = if item.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
                imports(&item.tree, start, is_public, &mut self.imports);
                return;
            }
            _ => return,
        };
        self.defined.insert(name.to_string());
    }
}

/// The leaves of a `use`, each with its whole path.
pub(super) fn imports(tree: &UseTree, mut before: Path, is_public: bool, found: &mut Vec<Import>) {
    let (name, last) = match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            return imports(&path.tree, before, is_public, found);
        }
        UseTree::Group(group) => {
            return group.items.iter().for_each(|tree| imports(tree, before.clone(), is_public, found));
        }
        UseTree::Glob(_) => (None, None),
        UseTree::Name(name) => (Some(name.ident.to_string()), Some(name.ident.to_string())),
        UseTree::Rename(rename) => (Some(rename.rename.to_string()), Some(rename.ident.to_string())),
    };
    let is_self = last.as_deref() == Some("self");
    let name = if is_self && name.as_deref() == Some("self") { before.last().cloned() } else { name };
    before.extend(last.filter(|_| !is_self));
    found.push(Import { name, path: before, is_public });
}

/// What stands before an item.
pub(super) fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
