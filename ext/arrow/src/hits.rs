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

/// Types that read fewer fields take as many steps as others, up to here: then how often the loop over them runs, which
/// the processor would guess wrong, is the same for almost all rows.
const SAME: usize = 2;

/// Which cells a step of a path reads.
#[derive(Clone, Copy)]
struct Step {
    field: u32,
    /// Cells of a row: a class from here on goes to the hash table.
    width: u32,
    /// All ones, or 0 where the step is there for its own sake: all classes are 0 then.
    reads: u32,
}

/// Where a type begins.
#[derive(Clone, Copy)]
struct Path {
    /// Its first node, or for a type that takes no step the final answer; 0: none yet.
    root: u32,
    /// Its steps.
    from: u32,
    to: u32,
}

/// A trie from (type, class of each field it reads) to hit set number: a step for each field. A node is a row of cells,
/// one per class, named by where it begins; classes beyond a row go to one hash table. It stops growing at a bound.
pub struct Memo {
    /// By type.
    paths: Vec<Path>,
    steps: Vec<Step>,
    /// The next node, or at the last field the hit set number plus one; 0: none yet. The node 0 leads nowhere, so
    /// that it can be walked on without a question.
    cells: Vec<u32>,
    sparse: HashMap<(u32, u32), u32>,
}

impl Memo {
    pub fn new(side: &Side) -> Self {
        let (mut paths, mut steps) = (Vec::new(), Vec::new());
        let longest = side.kinds.iter().map(|kind| kind.reads.len()).max();
        let same = longest.unwrap_or(0).min(SAME);
        for kind in &side.kinds {
            let from = steps.len() as u32;
            steps.extend(kind.reads.iter().map(|field| Step {
                field: *field as u32,
                width: side.fields[*field].classes().clamp(8, DENSE),
                reads: u32::MAX,
            }));
            let idle = Step {
                field: 0,
                width: 1,
                reads: 0,
            };
            let lacking = same.saturating_sub(kind.reads.len());
            steps.extend(std::iter::repeat_n(idle, lacking));
            let to = steps.len() as u32;
            paths.push(Path { root: 0, from, to });
        }
        Self {
            paths,
            steps,
            cells: vec![0; DENSE as usize],
            sparse: HashMap::new(),
        }
    }

    #[inline]
    fn steps(&self, path: Path) -> &[Step] {
        &self.steps[path.from as usize..path.to as usize]
    }

    /// The hit set number of a row plus one, 0 if it is not known, or there is no such type.
    #[inline]
    pub fn find(&self, kind: usize, class: impl Fn(u32) -> u32) -> u32 {
        let Some(path) = self.paths.get(kind) else {
            return 0;
        };
        let mut node = path.root;
        for step in self.steps(*path) {
            node = self.get(node, step.width, class(step.field) & step.reads);
        }
        node
    }

    #[inline]
    fn get(&self, node: u32, width: u32, class: u32) -> u32 {
        if class < width {
            self.cells[(node + class) as usize]
        } else {
            self.get_sparse(node, class)
        }
    }

    /// Apart from the loop of all rows, which would lack the registers it takes.
    #[inline(never)]
    fn get_sparse(&self, node: u32, class: u32) -> u32 {
        self.sparse.get(&(node, class)).copied().unwrap_or(0)
    }

    /// Remember a hit set for a row of classes, one for each field the type reads.
    pub fn remember(&mut self, kind: usize, classes: &[u32], set: u32) {
        self.widen(kind, classes);
        let path: Vec<Step> = self.steps(self.paths[kind]).to_vec();
        let mut classes = classes.to_vec();
        classes.resize(path.len(), 0);
        let Some((last, inner)) = path.split_last() else {
            self.paths[kind].root = set + 1;
            return;
        };
        if self.paths[kind].root == 0 {
            match self.node(path[0].width) {
                Some(root) => self.paths[kind].root = root,
                None => return,
            }
        }
        let mut node = self.paths[kind].root;
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
        let (from, to) = (self.paths[kind].from, self.paths[kind].to);
        let steps = &mut self.steps[from as usize..to as usize];
        for (step, class) in steps.iter_mut().zip(classes) {
            if (step.width..DENSE).contains(class) {
                step.width = (class + 1).next_power_of_two();
                self.paths.iter_mut().for_each(|path| path.root = 0);
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
