//! The cells of an open-addressing table, on huge pages where the system offers them.

use bytemuck::{cast_slice, cast_slice_mut};
use memmap2::MmapMut;

/// Bytes from which on pages of their own pay.
const LARGE: usize = 4 << 20;

enum Memory<const N: usize> {
    Heap(Vec<[u64; N]>),
    Pages(MmapMut),
}

/// A power of two of slots of so many words; a slot of zeros is free. A look-up in a large table misses the caches
/// anyway; on huge pages it does not miss the page table too.
pub struct Slots<const N: usize> {
    memory: Memory<N>,
    count: usize,
}

impl<const N: usize> Slots<N> {
    /// Free slots.
    pub fn new(count: usize) -> Self {
        let size = count * size_of::<[u64; N]>();
        if size >= LARGE {
            if let Ok(pages) = MmapMut::map_anon(size) {
                // Advice that is not taken costs time only.
                #[cfg(target_os = "linux")]
                let _ = pages.advise(memmap2::Advice::HugePage);
                let memory = Memory::Pages(pages);
                return Self { memory, count };
            }
        }
        let memory = Memory::Heap(vec![[0; N]; count]);
        Self { memory, count }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub fn all(&self) -> &[[u64; N]] {
        match &self.memory {
            Memory::Heap(slots) => slots,
            Memory::Pages(pages) => cast_slice(pages),
        }
    }

    #[inline]
    pub fn all_mut(&mut self) -> &mut [[u64; N]] {
        match &mut self.memory {
            Memory::Heap(slots) => slots,
            Memory::Pages(pages) => cast_slice_mut(pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_slots_are_as_free_as_few() {
        for count in [64, LARGE / size_of::<[u64; 2]>()] {
            let mut slots = Slots::<2>::new(count);
            assert_eq!(slots.all(), vec![[0; 2]; count]);
            slots.all_mut()[count - 1] = [1, 2];
            assert_eq!(slots.all()[count - 1], [1, 2]);
        }
    }
}
