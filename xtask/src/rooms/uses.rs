//! Which file names an item of which other: every path in the code, and every import that hands nothing on.
//!
//! A method that is called with a dot is not seen, for its type is not known here; whoever holds a value got it from a
//! file that names the type.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Expr, ImplItem, Item,
    visit::{self, Visit},
};

use super::{
    conditions::is_for_tests,
    names::Thing,
    tree::{self, Path, Tree},
};

/// The names that the first file takes from the second.
pub(super) type Uses = BTreeMap<(String, String), BTreeSet<String>>;

/// All arrows between files.
pub(super) fn uses(tree: &Tree) -> Uses {
    let mut uses = Uses::new();
    for (module, here) in tree.modules.iter().enumerate() {
        let mut reader = Reader { tree, module, locals: Vec::new(), uses: &mut uses };
        for import in here.imports.iter().filter(|import| !import.is_public) {
            reader.note(&import.path);
        }
        let code = here.items.iter().filter(|item| !matches!(item, Item::Use(_)));
        code.for_each(|item| reader.visit_item(item));
    }
    uses
}

struct Reader<'a> {
    tree: &'a Tree,
    module: usize,
    /// The variables of each function around this place.
    locals: Vec<BTreeSet<String>>,
    uses: &'a mut Uses,
}

impl Reader<'_> {
    fn note(&mut self, path: &[String]) {
        self.note_all(self.tree.resolve(self.module, path));
    }

    fn note_all(&mut self, things: Vec<Thing>) {
        let own = &self.tree.modules[self.module].file;
        for thing in things {
            if let Thing::Item { file, name } = thing
                && file != *own
            {
                self.uses.entry((own.clone(), file)).or_default().insert(name);
            }
        }
    }

    fn is_local(&self, path: &[String]) -> bool {
        matches!(path, [name] if self.locals.iter().any(|locals| locals.contains(name)))
    }

    /// Paths in the tokens of a macro, which have no syntax yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(word) if !is_part_of_another(&tokens[..at], &word.to_string()) => {
                    let (path, end) = path_at(&tokens, at);
                    self.path_in_tokens(&path, tokens.get(end));
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn path_in_tokens(&mut self, path: &Path, next: Option<&TokenTree>) {
        let is_called = match next {
            Some(TokenTree::Punct(next)) if next.as_char() == '!' && path.len() == 1 => {
                return self.note_all(self.tree.resolve_macro(self.module, &path[0]));
            }
            Some(TokenTree::Group(next)) => next.delimiter() == Delimiter::Parenthesis,
            _ => false,
        };
        // A word alone may be anything; one in capitals is a type or a constant.
        if path.len() > 1 || is_called || path[0].starts_with(char::is_uppercase) {
            self.note(path);
        }
    }

    /// Reads the inside of a function, whose variables may bear the names of items.
    fn function(&mut self, locals: BTreeSet<String>, read: impl FnOnce(&mut Self)) {
        self.locals.push(locals);
        read(self);
        self.locals.pop();
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_path(&mut self, path: &'a syn::Path) {
        self.note(&segments(path));
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, expression: &'a syn::ExprPath) {
        if !self.is_local(&segments(&expression.path)) {
            visit::visit_expr_path(self, expression);
        }
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        match &*call.func {
            // A function, though a variable may bear its name: `let kind = kind(column)`.
            Expr::Path(function) => visit::visit_expr_path(self, function),
            function => self.visit_expr(function),
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    /// A constant in a pattern looks like a variable.
    fn visit_pat_ident(&mut self, pattern: &'a syn::PatIdent) {
        let name = pattern.ident.to_string();
        if name.starts_with(char::is_uppercase) {
            self.note(&[name]);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        let path = segments(&call.path);
        let things = match &*path {
            [name] => self.tree.resolve_macro(self.module, name),
            path => self.tree.resolve(self.module, path),
        };
        self.note_all(things);
        self.tokens(call.tokens.clone());
    }

    /// Inside a function; those of the module are known already.
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        let mut found = Vec::new();
        tree::imports(&item.tree, Path::new(), false, &mut found);
        found.iter().for_each(|import| self.note(&import.path));
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        let locals = Locals::of(|locals| locals.visit_item_fn(item));
        self.function(locals, |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        let locals = Locals::of(|locals| locals.visit_impl_item_fn(item));
        self.function(locals, |reader| visit::visit_impl_item_fn(reader, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        let locals = Locals::of(|locals| locals.visit_trait_item_fn(item));
        self.function(locals, |reader| visit::visit_trait_item_fn(reader, item));
    }

    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_for_tests(tree::attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'a syn::ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => return,
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'a syn::Field) {
        if !is_for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'a syn::Variant) {
        if !is_for_tests(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_field_value(&mut self, field: &'a syn::FieldValue) {
        if !is_for_tests(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        if !is_for_tests(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if !is_for_tests(&local.attrs) {
            visit::visit_local(self, local);
        }
    }

    fn visit_expr_block(&mut self, block: &'a syn::ExprBlock) {
        if !is_for_tests(&block.attrs) {
            visit::visit_expr_block(self, block);
        }
    }

    /// `derive`, `cfg` and the like name nothing of these crates.
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}

    /// `pub(in a::b)` asks nothing of that module.
    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}
}

/// The variables that patterns bind.
#[derive(Default)]
struct Locals(BTreeSet<String>);

impl Locals {
    fn of(read: impl FnOnce(&mut Self)) -> BTreeSet<String> {
        let mut locals = Locals::default();
        read(&mut locals);
        locals.0
    }
}

impl<'a> Visit<'a> for Locals {
    fn visit_pat_ident(&mut self, pattern: &'a syn::PatIdent) {
        let name = pattern.ident.to_string();
        if !name.starts_with(char::is_uppercase) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }
}

fn segments(path: &syn::Path) -> Path {
    let leads_out = path.leading_colon.is_some().then(String::new);
    leads_out.into_iter().chain(path.segments.iter().map(|segment| segment.ident.to_string())).collect()
}

/// Whether the word after `before` is a field, a method, a lifetime, or a variable of a macro.
fn is_part_of_another(before: &[TokenTree], word: &str) -> bool {
    let mut marks = before.iter().rev().map_while(|token| match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    });
    match marks.next() {
        // Two dots are a range.
        Some('.') => marks.next() != Some('.'),
        Some('$') => word != "crate",
        Some(mark) => matches!(mark, '\'' | '#'),
        None => false,
    }
}

/// The path that starts at `start`, and where it ends.
fn path_at(tokens: &[TokenTree], start: usize) -> (Path, usize) {
    let colons = |at: usize| {
        let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        is_colon(tokens.get(at)) && is_colon(tokens.get(at + 1))
    };
    let mut path = Path::new();
    let leads_out = start >= 2 && colons(start - 2);
    path.extend(leads_out.then(String::new));
    let mut end = start;
    while let Some(TokenTree::Ident(name)) = tokens.get(end) {
        path.push(name.to_string());
        end += 1;
        if !(colons(end) && matches!(tokens.get(end + 2), Some(TokenTree::Ident(_)))) {
            break;
        }
        end += 2;
    }
    (path, end)
}
