/// What runs inside Redis. KEYS: lease (a hash of owner and epoch that expires), state (a hash of epoch and state), index.
extension Snapshots {
    static let acquireScript = LuaScript(
        """
        local owner, lease, keep, seen, force, id = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
        local held = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
        local last = tonumber(redis.call('HGET', KEYS[2], 'epoch') or 0)
        if held[1] then
            last = math.max(last, tonumber(held[2]))
            if held[1] ~= owner and force ~= '1' then return {0, last, held[1], false} end
        end
        local epoch = math.max(last, seen) + 1
        redis.call('HSET', KEYS[1], 'owner', owner, 'epoch', epoch)
        redis.call('PEXPIRE', KEYS[1], lease)
        redis.call('HSET', KEYS[2], 'epoch', epoch)
        redis.call('PEXPIRE', KEYS[2], keep)
        redis.call('SADD', KEYS[3], id)
        return {1, epoch, owner, redis.call('HGET', KEYS[2], 'state')}
        """)

    /// A missing epoch is a Redis that came back empty: the writer is taken at its word.
    static let saveScript = LuaScript(
        """
        local owner, lease, keep, epoch, state, id = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
        local last = tonumber(redis.call('HGET', KEYS[2], 'epoch') or 0)
        if last > epoch then return 0 end
        redis.call('HSET', KEYS[1], 'owner', owner, 'epoch', epoch)
        redis.call('PEXPIRE', KEYS[1], lease)
        redis.call('HSET', KEYS[2], 'epoch', epoch, 'state', state)
        redis.call('PEXPIRE', KEYS[2], keep)
        redis.call('SADD', KEYS[3], id)
        return 1
        """)

    /// KEYS: lease and state of every thing in turn; ARGV from the fourth on: their epochs.
    static let renewScript = LuaScript(
        """
        local outcomes = {}
        for index = 1, #KEYS / 2 do
            local lease, state, epoch = KEYS[index * 2 - 1], KEYS[index * 2], tonumber(ARGV[index + 3])
            local last = tonumber(redis.call('HGET', state, 'epoch') or 0)
            if last > epoch then
                outcomes[index] = 0
            else
                redis.call('HSET', lease, 'owner', ARGV[1], 'epoch', epoch)
                redis.call('PEXPIRE', lease, ARGV[2])
                if last > 0 then redis.call('PEXPIRE', state, ARGV[3]) end
                outcomes[index] = 1
            end
        end
        return outcomes
        """)

    /// What has ended leaves its epoch, raised, for a minute: a late write of its owner cannot bring it back.
    static let releaseScript = LuaScript(
        """
        local epoch, keepsState, id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
        local last = tonumber(redis.call('HGET', KEYS[2], 'epoch') or 0)
        if last > epoch then return 0 end
        redis.call('DEL', KEYS[1])
        if keepsState ~= '1' then
            redis.call('HDEL', KEYS[2], 'state')
            redis.call('HSET', KEYS[2], 'epoch', epoch + 1)
            redis.call('PEXPIRE', KEYS[2], 60000)
            redis.call('SREM', KEYS[3], id)
        end
        return 1
        """)
}
