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

/// Classes from here on go to the hash table.
const DENSE: u32 = 256;
/// Bounds of the memory: rows of classes beyond it are evaluated each time.
const MOST_CELLS: usize = 4 << 20;
const MOST_SPARSE: usize = 1 << 20;

/// A trie from (type, class of each field it reads) to hit set number: one step per field. A node is a row of cells,
/// one per class, named by where it begins; classes beyond a row go to one hash table. It stops growing at a bound.
pub struct Memo {
    /// By type: its first node, or for a type that reads nothing the final answer; 0: none yet.
    roots: Vec<u32>,
    /// The next node, or at the last field the hit set number plus one; 0: none yet.
    cells: Vec<u32>,
    /// By field: cells of a row.
    widths: Vec<u32>,
    sparse: HashMap<(u32, u32), u32>,
}

impl Memo {
    /// `classes` guesses how many classes each field has.
    pub fn new(roots: usize, classes: impl Iterator<Item = u32>) -> Self {
        let widths = classes.map(|count| count.clamp(8, DENSE)).collect();
        Self {
            roots: vec![0; roots],
            cells: vec![0],
            widths,
            sparse: HashMap::new(),
        }
    }

    /// The hit set number of a row, if it is known.
    #[inline]
    pub fn find(&self, kind: usize, reads: &[usize], class: impl Fn(usize) -> u32) -> Option<u32> {
        let mut node = self.roots[kind];
        for field in reads {
            if node == 0 {
                return None;
            }
            let class = class(*field);
            node = if class < self.widths[*field] {
                self.cells[(node + class) as usize]
            } else {
                self.sparse.get(&(node, class)).copied().unwrap_or(0)
            };
        }
        node.checked_sub(1)
    }

    /// Remember a hit set for a row of classes, one for each field read.
    pub fn remember(&mut self, kind: usize, reads: &[usize], classes: &[u32], set: u32) {
        for (field, class) in reads.iter().zip(classes) {
            if (self.widths[*field]..DENSE).contains(class) {
                // All rows of this field become wider, so all begin anew; a width doubles a few times at most.
                self.widths[*field] = (class + 1).next_power_of_two();
                self.roots.fill(0);
                self.cells.truncate(1);
                self.sparse.clear();
            }
        }
        let Some((last, path)) = reads.split_last() else {
            self.roots[kind] = set + 1;
            return;
        };
        if self.roots[kind] == 0 {
            match self.node(reads[0]) {
                Some(root) => self.roots[kind] = root,
                None => return,
            }
        }
        let mut node = self.roots[kind];
        for (depth, field) in path.iter().enumerate() {
            let class = classes[depth];
            let mut next = self.get(node, *field, class);
            if next == 0 {
                let Some(made) = self.node(reads[depth + 1]) else {
                    return;
                };
                if !self.set(node, *field, class, made) {
                    return;
                }
                next = made;
            }
            node = next;
        }
        self.set(node, *last, classes[path.len()], set + 1);
    }

    /// A new row of cells for the classes of a field.
    fn node(&mut self, field: usize) -> Option<u32> {
        let start = self.cells.len();
        let end = start + self.widths[field] as usize;
        if end > MOST_CELLS {
            return None;
        }
        self.cells.resize(end, 0);
        Some(start as u32)
    }

    fn get(&self, node: u32, field: usize, class: u32) -> u32 {
        if class < self.widths[field] {
            self.cells[(node + class) as usize]
        } else {
            self.sparse.get(&(node, class)).copied().unwrap_or(0)
        }
    }

    fn set(&mut self, node: u32, field: usize, class: u32, next: u32) -> bool {
        if class < self.widths[field] {
            self.cells[(node + class) as usize] = next;
        } else if self.sparse.len() < MOST_SPARSE {
            self.sparse.insert((node, class), next);
        } else {
            return false;
        }
        true
    }
}
