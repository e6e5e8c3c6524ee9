//! The source of the crate as modules: what each one declares, what it imports and which paths it
//! names. Read with syn; code that is compiled for tests only is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Files of `src` by their path inside it (`report/json.rs`), with their text.
pub type Sources = BTreeMap<String, String>;

/// A path as it is written, a segment each: `["super", "snapshot", "Gap"]`.
pub type WrittenPath = Vec<String>;

/// One name that a `use` declaration brings into a module.
pub struct Import {
    pub path: WrittenPath,
    /// The name in this module; `None` is a glob, `use path::*`.
    pub name: Option<String>,
    /// `pub use`, `pub(crate) use` and the like.
    pub is_reexport: bool,
}

/// A module without what is only for tests.
#[derive(Default)]
pub struct Module {
    /// The file inside `src`.
    pub file: String,
    pub children: BTreeSet<String>,
    pub items: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths outside `use` declarations: types, expressions, patterns, macros, attributes.
    pub paths: BTreeSet<WrittenPath>,
    pub has_async: bool,
}

/// All modules that are reachable from `lib.rs`, by their path from the root of the crate.
#[derive(Default)]
pub struct Tree {
    pub modules: BTreeMap<Vec<String>, Module>,
    /// Files that only tests are compiled from.
    pub test_files: BTreeSet<String>,
}

impl Tree {
    pub fn parse(sources: &Sources) -> Self {
        let mut tree = Self::default();
        tree.read_file(sources, "lib.rs", Vec::new());
        tree
    }

    fn read_file(&mut self, sources: &Sources, file: &str, path: Vec<String>) {
        let text = sources
            .get(file)
            .unwrap_or_else(|| panic!("src/{file} is declared as a module and missing"));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("src/{file}: {error}"));
        self.read_items(sources, file, path, &parsed.items);
    }

    fn read_items(
        &mut self,
        sources: &Sources,
        file: &str,
        path: Vec<String>,
        items: &[syn::Item],
    ) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let mut nested = Vec::new();
        for item in items {
            match item {
                syn::Item::Mod(declared) if is_for_tests(&declared.attrs) => {
                    if declared.content.is_none() {
                        let name = declared.ident.to_string();
                        self.test_files.insert(file_of(sources, &path, &name));
                    }
                }
                syn::Item::Mod(declared) => {
                    module.children.insert(declared.ident.to_string());
                    nested.push(declared);
                }
                _ => Collector(&mut module).visit_item(item),
            }
        }
        for declared in nested {
            let mut child = path.clone();
            child.push(declared.ident.to_string());
            match &declared.content {
                Some((_, items)) => self.read_items(sources, file, child, items),
                None => {
                    let file = file_of(sources, &path, &declared.ident.to_string());
                    self.read_file(sources, &file, child);
                }
            }
        }
        self.modules.insert(path, module);
    }
}

/// The file of a module that is declared as `mod name;` in the module `parent`.
fn file_of(sources: &Sources, parent: &[String], name: &str) -> String {
    let mut folders = parent.to_vec();
    folders.push(name.to_owned());
    let file = format!("{}.rs", folders.join("/"));
    assert!(sources.contains_key(&file), "src/{file} is missing");
    file
}

/// Everything below `src`.
pub fn read_sources(src: &Path) -> Sources {
    let mut sources = Sources::new();
    let mut folders = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(src).unwrap().display().to_string();
                sources.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

/// `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("cfg") => requires_test(list.tokens.clone()),
        _ => false,
    })
}

fn requires_test(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(group)] if word == "all" => group
            .stream()
            .into_iter()
            .any(|token| matches!(&token, TokenTree::Ident(word) if word == "test")),
        _ => false,
    }
}

struct Collector<'module>(&'module mut Module);

impl Collector<'_> {
    fn import(&mut self, prefix: &[String], tree: &syn::UseTree, is_reexport: bool) {
        let with = |ident: &syn::Ident| {
            let mut path = prefix.to_vec();
            path.push(ident.to_string());
            path
        };
        let (path, name) = match tree {
            syn::UseTree::Path(step) => {
                return self.import(&with(&step.ident), &step.tree, is_reexport);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(prefix, tree, is_reexport);
                }
                return;
            }
            syn::UseTree::Name(last) if last.ident == "self" => {
                (prefix.to_vec(), prefix.last().cloned())
            }
            syn::UseTree::Name(last) => (with(&last.ident), Some(last.ident.to_string())),
            syn::UseTree::Rename(last) if last.ident == "self" => {
                (prefix.to_vec(), Some(last.rename.to_string()))
            }
            syn::UseTree::Rename(last) => (with(&last.ident), Some(last.rename.to_string())),
            syn::UseTree::Glob(_) => (prefix.to_vec(), None),
        };
        self.0.imports.push(Import {
            path,
            name,
            is_reexport,
        });
    }

    /// Paths among the tokens of a macro or an attribute: `a::b`, wherever it stands.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: WrittenPath = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.finish(&mut path);
                    }
                    self.0.has_async |= ident == "async";
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.finish(&mut path);
                    self.scan(group.stream());
                    colons = 0;
                }
                _ => {
                    self.finish(&mut path);
                    colons = 0;
                }
            }
        }
        self.finish(&mut path);
    }

    fn finish(&mut self, path: &mut WrittenPath) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.0.paths.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (attributes, name) = attributes_and_name(item);
        if is_for_tests(attributes) {
            return;
        }
        self.0.items.extend(name.map(ToString::to_string));
        visit::visit_item(self, item);
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[syn::Attribute] = match item {
            syn::ImplItem::Fn(function) => &function.attrs,
            syn::ImplItem::Const(constant) => &constant.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
        self.import(&[], &item.tree, is_reexport);
    }

    /// `pub(super)` names no item.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|part| part.ident.to_string());
        self.0.paths.insert(segments.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
        }
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.0.has_async |= signature.asyncness.is_some();
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.0.has_async = true;
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.0.has_async |= closure.asyncness.is_some();
        visit::visit_expr_closure(self, closure);
    }
}

fn attributes_and_name(item: &syn::Item) -> (&[syn::Attribute], Option<&syn::Ident>) {
    match item {
        syn::Item::Const(item) => (&item.attrs, Some(&item.ident)),
        syn::Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        syn::Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        syn::Item::Impl(item) => (&item.attrs, None),
        syn::Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        syn::Item::Static(item) => (&item.attrs, Some(&item.ident)),
        syn::Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        syn::Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        syn::Item::Type(item) => (&item.attrs, Some(&item.ident)),
        syn::Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}
