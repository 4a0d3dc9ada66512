//! Workgroup memory is not initialised: shaders write it before they read it.

use std::collections::BTreeMap;

use naga::{AddressSpace, Block, Expression, Function, GlobalVariable, Handle, Module, Statement};

use super::{PLAIN, variants};
use gumbel::shaders::{Kernel, Reduction, Variant};

/// The state of a variable so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Some invocation has written it, or part of it.
    Written,
    /// A barrier has followed the write.
    There,
}

/// Walks a shader in the order of its text, including calls, and remembers the variables that are read too early.
///
/// Both sides of a branch count, and a loop counts as if it ran once. The tests that run shaders check which invocation
/// has written, and whether everything that is read was written.
struct Walk<'a> {
    module: &'a Module,
    states: BTreeMap<Handle<GlobalVariable>, State>,
    early: Vec<String>,
}

impl Walk<'_> {
    /// Returns the workgroup variable that a pointer leads to.
    fn shared(
        &self,
        function: &Function,
        pointer: Handle<Expression>,
    ) -> Option<Handle<GlobalVariable>> {
        match function.expressions[pointer] {
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                self.shared(function, base)
            }
            Expression::GlobalVariable(variable) => {
                let space = self.module.global_variables[variable].space;
                (space == AddressSpace::WorkGroup).then_some(variable)
            }
            _ => None,
        }
    }

    fn read(&mut self, function: &Function, pointer: Handle<Expression>) {
        if let Some(variable) = self.shared(function, pointer)
            && self.states.get(&variable) != Some(&State::There)
        {
            self.early.extend(self.module.global_variables[variable].name.clone());
        }
    }

    fn write(&mut self, function: &Function, pointer: Handle<Expression>) {
        if let Some(variable) = self.shared(function, pointer) {
            self.states.entry(variable).or_insert(State::Written);
        }
    }

    fn barrier(&mut self) {
        self.states.values_mut().for_each(|state| *state = State::There);
    }

    fn block(&mut self, function: &Function, block: &Block) {
        for statement in block {
            match statement {
                Statement::Emit(range) => {
                    for expression in range.clone() {
                        if let Expression::Load { pointer } = function.expressions[expression] {
                            self.read(function, pointer);
                        }
                    }
                }
                Statement::Store { pointer, .. } => self.write(function, *pointer),
                Statement::Atomic { pointer, .. } => self.read(function, *pointer),
                // a barrier, the load, and another barrier
                Statement::WorkGroupUniformLoad { pointer, .. } => {
                    self.barrier();
                    self.read(function, *pointer);
                }
                Statement::ControlBarrier(_) => self.barrier(),
                Statement::Call { function, .. } => {
                    let called = &self.module.functions[*function];
                    self.block(called, &called.body);
                }
                Statement::Block(block) => self.block(function, block),
                Statement::If { accept, reject, .. } => {
                    let before = self.states.clone();
                    self.block(function, accept);
                    // what a branch that returns has written is nothing to the code after it; where both branches
                    // return, this is the function's end, and the caller goes on
                    let returns =
                        |block: &Block| matches!(block.last(), Some(Statement::Return { .. }));
                    if returns(accept) && !returns(reject) {
                        self.states = before;
                    }
                    self.block(function, reject);
                }
                Statement::Loop { body, continuing, .. } => {
                    self.block(function, body);
                    self.block(function, continuing);
                }
                Statement::Switch { cases, .. } => {
                    cases.iter().for_each(|case| self.block(function, &case.body));
                }
                _ => {}
            }
        }
    }
}

/// Returns the workgroup variables that a shader reads before it writes them and passes a barrier.
fn read_early(source: &str) -> Vec<String> {
    let module = naga::front::wgsl::parse_str(source).unwrap();
    let mut walk = Walk { module: &module, states: BTreeMap::new(), early: Vec::new() };
    let entry = &module.entry_points[0].function;
    walk.block(entry, &entry.body);
    walk.early
}

#[test]
fn workgroup_memory_is_written_before_it_is_read() {
    for variant in variants() {
        assert_eq!(read_early(&variant.source()), Vec::<String>::new(), "{variant:?}");
    }
}

#[test]
fn a_word_that_is_read_too_early_is_seen() {
    let faults = [
        (Kernel::TopK, "atomicStore(&bins[bin], 0u);", "bins"),
        (Kernel::TopK, "atomicStore(&found, 0u);", "found"),
        (Kernel::TopK, "cutoff_of_top_k = select(FILTER_OPEN, sure, known);", "cutoff_of_top_k"),
        (Kernel::Stream, "atomicStore(&cutoffs[team.slot], ordered(FILTER_OPEN));", "cutoffs"),
        (Kernel::Top, "atomicStore(&top_of_block, 0u);", "top_of_block"),
    ];
    for (kernel, write, name) in faults {
        let source = Variant { kernel, ..PLAIN }.source();
        assert_eq!(source.matches(write).count(), 1, "{write}");
        let early = read_early(&source.replace(write, ""));
        assert!(early.iter().any(|early| early == name), "{write}: {early:?}");
    }
    let of_subgroups = Variant { reduction: Reduction::Subgroups, ..PLAIN };
    let source = of_subgroups.source();
    for (write, name) in [
        ("atomicStore(&lower_end_of_team, ordered(FILTER_OPEN));", "lower_end_of_team"),
        ("all_contenders = atomicLoad(&contenders);", "all_contenders"),
    ] {
        assert_eq!(source.matches(write).count(), 1, "{write}");
        assert_eq!(read_early(&source.replace(write, ""))[0], name);
    }
    let source = PLAIN.source();
    for (write, name) in [
        ("atomicStore(&lower_ends[team.slot], ordered(FILTER_OPEN));", "lower_ends"),
        ("told_undecided = atomicLoad(&some_undecided);", "told_undecided"),
    ] {
        assert_eq!(source.matches(write).count(), 1, "{write}");
        assert_eq!(read_early(&source.replace(write, ""))[0], name);
    }
    // a shader without one of its barriers
    let subgroups = Variant { kernel: Kernel::Merge, ..of_subgroups }.source();
    let barrier = "    workgroupBarrier();\n    leave";
    assert_eq!(subgroups.matches(barrier).count(), 1);
    assert_eq!(read_early(&subgroups.replace(barrier, "    leave")), ["outcomes_left"]);
}

/// The bytes of workgroup memory that a shader has.
fn memory(source: &str) -> u32 {
    let (module, _) = super::validate(source);
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).unwrap();
    let variables = module.global_variables.iter();
    let shared = variables.filter(|(_, variable)| variable.space == AddressSpace::WorkGroup);
    shared.map(|(_, variable)| layouter[variable.ty].size).sum()
}

/// The size of workgroups is limited by 36 bytes for each invocation (`src/gpu/builder.rs`). Teams that settle groups have 256
/// invocations at most, and those that find the first k have 22 bytes for each and 4,108 once: any device has memory for these.
#[test]
fn a_workgroup_has_no_more_memory_than_is_counted() {
    let short = variants().filter(|v| !v.groups && v.kernel != Kernel::TopK && !v.int64 && v.vec4);
    let mut most = 0;
    for variant in short.map(|variant| Variant { workgroup_size: 1024, ..variant }) {
        let bytes = memory(&variant.source());
        assert!(bytes <= 36 * 1024, "{variant:?}: {bytes}");
        most = most.max(bytes);
    }
    assert!(most > 32 * 1024, "{most}");
}
