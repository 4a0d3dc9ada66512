// Groups that may hold the winner wait in a queue in workgroup memory, and are settled together: first an invocation
// for each group, which finds the members that may win, then one for each of these, which adds its own noise and
// evaluates exactly what may still win.
// Needs: members.
//
// The team must be the whole workgroup. An invocation that finds the queue full waits until the queue is empty. A group
// that is settled twice would do no harm.
// Barriers: one after begin_queue, three in all_queued, and in settle one and five for every turn of its loops. All
// invocations of a workgroup reach them: the counts on which these loops depend are uniform.
// Workgroup memory: invocations write the elements whose numbers they took, and read elements after a barrier.
//
// Mesa 22.3 ends all loops of an invocation after 65,535 iterations in total, and it runs eight invocations as one, whose
// iterations count together where they come at different turns. WORKGROUP groups, one of each invocation, take at most 9 to
// be queued and to begin, 16 for each turn in which one of the eight lets members wait, and 1 + ROOM / WORKGROUP for each turn:
// 42 in a team of 8, 59 in one of 16, and 185 in larger ones, as ROOM has the members of ROOM / 16 groups. The host hands an
// invocation at most 512 groups, of 64 half-spans, in teams of up to 16, and 256 in larger ones. A half-span takes one more, and 16
// to be loaded, or 32 if its mask is looked at after all, which may be in another turn for each of the eight invocations: 264. That is
// 47,104 in all in a team of 16, and 55,808 in larger ones.

const QUEUE: u32 = 4u * WORKGROUP;
// The room for members: at least that for the members of a group more than there are invocations.
const ROOM: u32 = max(WORKGROUP + 16u, 128u);

// The groups queued, which are counted beyond the room, and the members that wait.
var<workgroup> queued: atomic<u32>;
var<workgroup> queue: array<u32, QUEUE>;
var<workgroup> waiting: atomic<u32>;
// Category and word.
var<workgroup> members: array<vec2<u32>, ROOM>;
// The number of members before the first that found no room.
var<workgroup> filled: atomic<u32>;
// Whether an invocation has groups left.
var<workgroup> unfinished: atomic<u32>;
// Counts, in the form in which all branches on them are uniform.
var<workgroup> told: vec2<u32>;

// Empties the queue; a barrier has to follow.
fn begin_queue(team: Team) {
    if team.lane == 0u {
        atomicStore(&queued, 0u);
        atomicStore(&waiting, 0u);
        atomicStore(&filled, ROOM);
        atomicStore(&unfinished, 0u);
    }
}

fn queue_is_full() -> bool {
    return atomicLoad(&queued) >= QUEUE;
}

// Queues groups from `first` on, a bit for each, and returns those that found no room.
fn queue_groups(first: u32, groups: u32) -> u32 {
    var left = groups;
    while left != 0u {
        let at = atomicAdd(&queued, 1u);
        if at >= QUEUE {
            break;
        }
        queue[at] = first + firstTrailingBit(left);
        left &= left - 1u;
    }
    return left;
}

// Says whether this invocation has groups left. The number of groups queued, and whether any invocation has groups left.
fn all_queued(team: Team, has_more: bool) -> vec2<u32> {
    if has_more {
        atomicStore(&unfinished, 1u);
    }
    workgroupBarrier();
    if team.lane == 0u {
        told = vec2<u32>(min(atomicLoad(&queued), QUEUE), atomicLoad(&unfinished));
    }
    return workgroupUniformLoad(&told);
}

// Adds its own noise to a member that may win, and evaluates the member if it still may. The category counts from the
// first of this pass.
fn settle_member(row: Row, team: Team, at: u32, word: u32, before: Best) -> Best {
    let f = row.filter_of_row;
    let value = measured_at(row, at);
    let category = run.first_category + at;
    let noise = noise_of_member(row, category, word);
    if is_invalid(value) {
        return before;
    }
    if (run.flags & UNFILTERED) == 0u {
        raise_cutoff(team, sure_cutoff_in_group_measured(f, value, most_noise(noise)));
    }
    if score_in_group(f, value, noise) < shared_cutoff(team) {
        return before;
    }
    let one = evaluate_in_group(row, category, word, value);
    raise_cutoff(team, cutoff_after(row, one, value));
    if beats(one, before) {
        return one;
    }
    return before;
}

// Settles the members that wait, and returns whether some found no room.
fn settle_members(row: Row, team: Team, best: ptr<function, Best>) -> bool {
    workgroupBarrier();
    if team.lane == 0u {
        let all = atomicLoad(&waiting);
        told = vec2<u32>(min(all, atomicLoad(&filled)), u32(all > ROOM));
    }
    let ready = workgroupUniformLoad(&told);
    for (var k = team.lane; k < ready.x; k += WORKGROUP) {
        *best = settle_member(row, team, members[k].x, members[k].y, *best);
    }
    workgroupBarrier();
    if team.lane == 0u {
        atomicStore(&waiting, 0u);
        atomicStore(&filled, ROOM);
    }
    workgroupBarrier();
    return ready.y != 0u;
}

// Makes members wait, a bit for each, if there is room for all of them; returns those that found none.
fn let_members_wait(group: u32, word: u32, passing: u32) -> u32 {
    if passing == 0u {
        return 0u;
    }
    let wanted = countOneBits(passing);
    var at = atomicAdd(&waiting, wanted);
    if at + wanted > ROOM {
        atomicMin(&filled, at);
        return passing;
    }
    for (var left = passing; left != 0u; left &= left - 1u) {
        members[at] = vec2<u32>(category_of(group, firstTrailingBit(left)), word);
        at++;
    }
    return 0u;
}

// Settles the first `count` groups of the queue. Returns the best of `before` and of what was evaluated.
fn settle(row: Row, team: Team, count: u32, before: Best) -> Best {
    let f = row.filter_of_row;
    var best = before;
    for (var begin = 0u; begin < count; begin += WORKGROUP) {
        let here = begin + team.lane < count;
        var group = 0u;
        var word = 0u;
        var low = UpperScores(vec4<f32>(NOTHING_IN_GROUP), vec4<f32>(NOTHING_IN_GROUP));
        var high = low;
        if here {
            group = queue[begin + team.lane];
            word = word_of_group(row, group);
            let base = category_of(group, 0u);
            let noise = noise_before(word);
            low = scores_with_first(f, eight_members(row, base), noise);
            high = scores_with_first(f, eight_members(row, base + 128u), noise);
            raise_cutoff(team, sure_cutoff_of_first(row, group, word));
        }
        workgroupBarrier();
        let cutoff = shared_cutoff(team);
        var passing = passing_at(low, cutoff) | (passing_at(high, cutoff) << 8u);
        loop {
            passing = let_members_wait(group, word, passing);
            if !settle_members(row, team, &best) {
                break;
            }
        }
    }
    return best;
}
