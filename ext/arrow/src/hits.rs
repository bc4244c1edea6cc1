//! Hit sets and the memory of which row of classes has which.

use hashbrown::HashMap;

use crate::plan::Side;

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

/// Which cells a step of a path reads.
#[derive(Clone, Copy)]
struct Step {
    field: u32,
    /// Cells of a row: a class from here on goes to the hash table.
    width: u32,
}

/// A trie from (type, class of each field it reads) to hit set number: one step per field. A node is a row of cells,
/// one per class, named by where it begins; classes beyond a row go to one hash table. It stops growing at a bound.
pub struct Memo {
    /// By type: its first node, or for a type that reads nothing the final answer; 0: none yet.
    roots: Vec<u32>,
    /// By type: where its steps begin; one more than there are types.
    paths: Vec<u32>,
    steps: Vec<Step>,
    /// The next node, or at the last field the hit set number plus one; 0: none yet. The node 0 leads nowhere, so
    /// that it can be walked on without a question.
    cells: Vec<u32>,
    sparse: HashMap<(u32, u32), u32>,
}

impl Memo {
    pub fn new(side: &Side) -> Self {
        let (mut paths, mut steps) = (vec![0], Vec::new());
        for kind in &side.kinds {
            steps.extend(kind.reads.iter().map(|field| Step {
                field: *field as u32,
                width: side.fields[*field].classes().clamp(8, DENSE),
            }));
            paths.push(steps.len() as u32);
        }
        let roots = vec![0; side.kinds.len()];
        Self {
            roots,
            paths,
            steps,
            cells: vec![0; DENSE as usize],
            sparse: HashMap::new(),
        }
    }

    #[inline]
    fn path(&self, kind: usize) -> &[Step] {
        &self.steps[self.paths[kind] as usize..self.paths[kind + 1] as usize]
    }

    /// The hit set number of a row plus one, 0 if it is not known.
    #[inline]
    pub fn find(&self, kind: usize, class: impl Fn(u32) -> u32) -> u32 {
        let mut node = self.roots[kind];
        for step in self.path(kind) {
            node = self.get(node, step.width, class(step.field));
        }
        node
    }

    #[inline]
    fn get(&self, node: u32, width: u32, class: u32) -> u32 {
        if class < width {
            self.cells[(node + class) as usize]
        } else {
            self.sparse.get(&(node, class)).copied().unwrap_or(0)
        }
    }

    /// Remember a hit set for a row of classes, one for each step of the type.
    pub fn remember(&mut self, kind: usize, classes: &[u32], set: u32) {
        self.widen(kind, classes);
        let path: Vec<Step> = self.path(kind).to_vec();
        let Some((last, inner)) = path.split_last() else {
            self.roots[kind] = set + 1;
            return;
        };
        if self.roots[kind] == 0 {
            match self.node(path[0].width) {
                Some(root) => self.roots[kind] = root,
                None => return,
            }
        }
        let mut node = self.roots[kind];
        for (depth, step) in inner.iter().enumerate() {
            let mut next = self.get(node, step.width, classes[depth]);
            if next == 0 {
                let Some(made) = self.node(path[depth + 1].width) else {
                    return;
                };
                if !self.set(node, step.width, classes[depth], made) {
                    return;
                }
                next = made;
            }
            node = next;
        }
        self.set(node, last.width, classes[inner.len()], set + 1);
    }

    /// Make rows wide enough for these classes. Then all begin anew; a width doubles a few times at most.
    fn widen(&mut self, kind: usize, classes: &[u32]) {
        let (from, to) = (self.paths[kind] as usize, self.paths[kind + 1] as usize);
        for (step, class) in self.steps[from..to].iter_mut().zip(classes) {
            if (step.width..DENSE).contains(class) {
                step.width = (class + 1).next_power_of_two();
                self.roots.fill(0);
                self.cells.truncate(DENSE as usize);
                self.sparse.clear();
            }
        }
    }

    /// A new row of cells.
    fn node(&mut self, width: u32) -> Option<u32> {
        let start = self.cells.len();
        let end = start + width as usize;
        if end > MOST_CELLS {
            return None;
        }
        self.cells.resize(end, 0);
        Some(start as u32)
    }

    fn set(&mut self, node: u32, width: u32, class: u32, next: u32) -> bool {
        if class < width {
            self.cells[(node + class) as usize] = next;
        } else if self.sparse.len() < MOST_SPARSE {
            self.sparse.insert((node, class), next);
        } else {
            return false;
        }
        true
    }
}
