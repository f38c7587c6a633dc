/// What runs inside Redis. KEYS: lease (a hash of owner, its life and epoch that expires), state (the same and the state), index.
extension Snapshots {
    static let lifeScript = LuaScript(
        """
        local life = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) + 1, tonumber(ARGV[1]))
        redis.call('SET', KEYS[1], string.format('%.0f', life), 'PX', ARGV[2])
        return life
        """)

    private static let acquireFunction = """
        local function acquire(leaseKey, stateKey, index, owner, lease, keep, seen, force, id, life)
            local held = redis.call('HMGET', leaseKey, 'owner', 'epoch', 'life')
            local last = tonumber(redis.call('HGET', stateKey, 'epoch') or 0)
            if held[1] then
                last = math.max(last, tonumber(held[2]))
                local isOthers = held[1] ~= owner or tonumber(held[3] or 0) > tonumber(life)
                if isOthers and force ~= '1' then return {0, last, held[1], false} end
            end
            local epoch = math.max(last, seen) + 1
            redis.call('HSET', leaseKey, 'owner', owner, 'epoch', epoch, 'life', life)
            redis.call('PEXPIRE', leaseKey, lease)
            redis.call('HSET', stateKey, 'epoch', epoch, 'owner', owner, 'life', life)
            redis.call('PEXPIRE', stateKey, keep)
            redis.call('SADD', index, id)
            return {1, epoch, owner, redis.call('HGET', stateKey, 'state')}
        end

        """

    static let acquireScript = LuaScript(
        acquireFunction + """
        return acquire(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7])
        """)

    static let succeedScript = LuaScript(
        """
        local owner, lease, keep, former, id, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
        local kept = redis.call('HMGET', KEYS[2], 'epoch', 'state', 'owner', 'life')
        local last = tonumber(kept[1] or 0)
        if not kept[2] then return {2, last, '', false} end
        local held = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'life')
        if held[1] then last = math.max(last, tonumber(held[2])) end
        local holder, holding = kept[3], tonumber(kept[4] or 0)
        if held[1] then holder, holding = held[1], tonumber(held[3] or 0) end
        if holder then
            local isOurs = holder == owner and holding <= life
            local isTheirs = holder == former and former ~= owner
            if not isOurs and not isTheirs then return {0, last, holder, false} end
        end
        local epoch = last + 1
        redis.call('HSET', KEYS[1], 'owner', owner, 'epoch', epoch, 'life', ARGV[6])
        redis.call('PEXPIRE', KEYS[1], lease)
        redis.call('HSET', KEYS[2], 'epoch', epoch, 'owner', owner, 'life', ARGV[6])
        redis.call('PEXPIRE', KEYS[2], keep)
        redis.call('SADD', KEYS[3], id)
        return {1, epoch, owner, kept[2]}
        """)

    /// KEYS: lease and state of every thing in turn. The state only of what `former` holds, or nobody.
    static let examineScript = LuaScript(
        """
        local found = {}
        for index = 1, #KEYS / 2 do
            local holder = redis.call('HGET', KEYS[index * 2 - 1], 'owner')
            local state = false
            if not holder or holder == ARGV[1] then
                local kept = redis.call('HMGET', KEYS[index * 2], 'owner', 'state')
                holder, state = holder or kept[1], kept[2]
            end
            found[index * 2 - 1], found[index * 2] = holder, state
        end
        return found
        """)

    /// A missing epoch is a Redis that came back empty: the writer is taken at its word. Where owners have lives, one epoch is one's. Whose
    /// thing it is already, and under a lease, that is renewed by `renewScript`, writes the state alone.
    private static let saveFunction = """
        local function save(leaseKey, stateKey, index, owner, lease, keep, epoch, state, id, life)
            local kept = redis.call('HMGET', stateKey, 'epoch', 'owner', 'life')
            local last = tonumber(kept[1] or 0)
            if last > epoch then return 0 end
            local ours = tonumber(life)
            if ours > 0 and last == epoch and kept[2] and (kept[2] ~= owner or tonumber(kept[3] or ours) ~= ours) then return 0 end
            if last == epoch and kept[2] == owner and redis.call('EXISTS', leaseKey) == 1 then
                redis.call('HSET', stateKey, 'state', state)
                return 1
            end
            redis.call('HSET', leaseKey, 'owner', owner, 'epoch', epoch, 'life', life)
            redis.call('PEXPIRE', leaseKey, lease)
            redis.call('HSET', stateKey, 'epoch', epoch, 'owner', owner, 'life', life, 'state', state)
            redis.call('PEXPIRE', stateKey, keep)
            redis.call('SADD', index, id)
            return 1
        end

        """

    static let saveScript = LuaScript(
        saveFunction + """
        return save(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7])
        """)

    /// KEYS: lease and state of every thing in turn, the index last; ARGV from the fifth on: id, epoch and state of each. An epoch of 0: it is
    /// taken first, unless it is another's. What each has come to is its epoch, 0 when it is another's.
    static let writeScript = LuaScript(
        acquireFunction + saveFunction + """
        local owner, lease, keep, life = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
        local index, epochs = KEYS[#KEYS], {}
        for place = 1, (#KEYS - 1) / 2 do
            local leaseKey, stateKey = KEYS[place * 2 - 1], KEYS[place * 2]
            local id, epoch, state = ARGV[place * 3 + 2], tonumber(ARGV[place * 3 + 3]), ARGV[place * 3 + 4]
            local isOurs = true
            if epoch == 0 then
                local taken = acquire(leaseKey, stateKey, index, owner, lease, keep, 0, '0', id, life)
                isOurs, epoch = taken[1] == 1, taken[2]
            end
            isOurs = isOurs and save(leaseKey, stateKey, index, owner, lease, keep, epoch, state, id, life) == 1
            epochs[place] = isOurs and epoch or 0
        end
        return epochs
        """)

    /// KEYS: lease and state of every thing in turn; ARGV from the fifth on: their epochs.
    static let renewScript = LuaScript(
        """
        local outcomes, life = {}, tonumber(ARGV[4])
        for index = 1, #KEYS / 2 do
            local lease, state, epoch = KEYS[index * 2 - 1], KEYS[index * 2], tonumber(ARGV[index + 4])
            local kept = redis.call('HMGET', state, 'epoch', 'owner', 'life')
            local last = tonumber(kept[1] or 0)
            local isOthers = life > 0 and last == epoch and kept[2] and (kept[2] ~= ARGV[1] or tonumber(kept[3] or life) ~= life)
            if last > epoch or isOthers then
                outcomes[index] = 0
            else
                redis.call('HSET', lease, 'owner', ARGV[1], 'epoch', epoch, 'life', ARGV[4])
                redis.call('PEXPIRE', lease, ARGV[2])
                if last > 0 then redis.call('PEXPIRE', state, ARGV[3]) end
                outcomes[index] = 1
            end
        end
        return outcomes
        """)

    /// What has ended leaves its epoch, raised, for a minute: a late write of its owner cannot bring it back. KEYS: lease and state of every thing
    /// in turn, the index last; ARGV: id and epoch of each.
    static let releaseScript = LuaScript(
        """
        local outcomes = {}
        for place = 1, (#KEYS - 1) / 2 do
            local lease, state, id, epoch = KEYS[place * 2 - 1], KEYS[place * 2], ARGV[place * 2 - 1], tonumber(ARGV[place * 2])
            if tonumber(redis.call('HGET', state, 'epoch') or 0) > epoch then
                outcomes[place] = 0
            else
                redis.call('DEL', lease)
                redis.call('HDEL', state, 'state')
                redis.call('HSET', state, 'epoch', epoch + 1)
                redis.call('PEXPIRE', state, 60000)
                redis.call('SREM', KEYS[#KEYS], id)
                outcomes[place] = 1
            end
        end
        return outcomes
        """)

    /// The state stays, and belongs to nobody.
    static let yieldScript = LuaScript(
        """
        if tonumber(redis.call('HGET', KEYS[2], 'epoch') or 0) > tonumber(ARGV[1]) then return 0 end
        redis.call('DEL', KEYS[1])
        redis.call('HDEL', KEYS[2], 'owner')
        return 1
        """)
}
