//! Hit sets and the memory of which row of classes has which.

use hashbrown::HashMap;

/// Distinct sets of hit ids, numbered in order of first sight.
pub struct HitSets {
    offsets: Vec<i64>,
    ids: Vec<u32>,
    numbers: HashMap<Box<[u32]>, u32>,
}

impl HitSets {
    /// Number 0 is this set.
    pub fn starting_with(first: &[u32]) -> Self {
        let mut sets = Self {
            offsets: vec![0],
            ids: Vec::new(),
            numbers: HashMap::new(),
        };
        sets.number(first);
        sets
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of a set: its hits ascend.
    pub fn number(&mut self, hits: &[u32]) -> u32 {
        if let Some(number) = self.numbers.get(hits) {
            return *number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(hits.into(), number);
        self.ids.extend_from_slice(hits);
        self.offsets.push(self.ids.len() as i64);
        number
    }

    pub fn get(&self, number: u32) -> &[u32] {
        let bound = |at: usize| self.offsets.get(at).map_or(0, |offset| *offset as usize);
        self.ids
            .get(bound(number as usize)..bound(number as usize + 1))
            .unwrap_or(&[])
    }

    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}

/// A class this large or larger goes to the hash table.
const DENSE: u32 = 256;
/// Bounds of the memory: rows of classes beyond it are evaluated each time.
const MOST_CELLS: usize = 4 << 20;
const MOST_SPARSE: usize = 1 << 20;

/// A trie from (type, class of each field it reads) to hit set number: one step per field, a dense row of children
/// per node for small classes, one hash table for large ones. It stops growing at a bound.
pub struct Memo {
    dense: Vec<Vec<u32>>,
    sparse: HashMap<(u32, u32), u32>,
    cells: usize,
}

impl Memo {
    /// Nodes 0 to `roots` - 1 are the types.
    pub fn new(roots: usize) -> Self {
        Self {
            dense: vec![Vec::new(); roots],
            sparse: HashMap::new(),
            cells: 0,
        }
    }

    /// The child of a node, 0 if there is none.
    #[inline]
    pub fn step(&self, node: u32, class: u32) -> u32 {
        if class < DENSE {
            match self.dense.get(node as usize) {
                Some(children) => children.get(class as usize).copied().unwrap_or(0),
                None => 0,
            }
        } else {
            self.sparse.get(&(node, class)).copied().unwrap_or(0)
        }
    }

    /// The child of a node, made if there is none; None where the memory is full.
    fn grow(&mut self, node: u32, class: u32) -> Option<u32> {
        let known = self.step(node, class);
        if known != 0 {
            return Some(known);
        }
        let child = self.dense.len() as u32;
        self.set(node, class, child)?;
        self.dense.push(Vec::new());
        self.cells += 6; // the row itself
        Some(child)
    }

    fn set(&mut self, node: u32, class: u32, child: u32) -> Option<()> {
        if class < DENSE {
            let children = self.dense.get_mut(node as usize)?;
            let needed = (class as usize + 1).saturating_sub(children.len());
            if self.cells + needed > MOST_CELLS {
                return None;
            }
            self.cells += needed;
            children.resize(children.len() + needed, 0);
            children[class as usize] = child;
        } else {
            if self.sparse.len() >= MOST_SPARSE {
                return None;
            }
            self.sparse.insert((node, class), child);
        }
        Some(())
    }

    /// Remember a hit set. The last step leads to its number plus one.
    pub fn remember(&mut self, kind: u32, classes: &[u32], set: u32) {
        let Some((last, path)) = classes.split_last() else {
            return;
        };
        let mut node = kind;
        for class in path {
            match self.grow(node, *class) {
                Some(child) => node = child,
                None => return,
            }
        }
        self.set(node, *last, set + 1);
    }
}
