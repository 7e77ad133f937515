using System.Globalization;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.RateLimiting;

namespace Gateway.IntegrationTests.RateLimiting;

/// <summary>What the script decided about one request.</summary>
/// <param name="Now">When, in ms, by the clock that the script saw.</param>
/// <param name="Wait">Ms until this cost can pass; 0: it passed; -1: it never can.</param>
/// <param name="PassesAtWait">Whether it would pass <paramref name="Wait"/> later, if nothing else came.</param>
/// <param name="PassesBefore">Whether it would pass a millisecond before that.</param>
internal readonly record struct Decision(long Now, long Cost, bool IsAdmitted, long Used, long Reset, long Wait, bool PassesAtWait, bool PassesBefore);

/// <summary>
/// Runs charge.lua, as it is, inside one script of a real Redis that stands in for Redis: its keys are tables, and its
/// clock goes where it is set. So thousands of decisions have times that are known to the millisecond.
/// </summary>
internal static class VirtualTime
{
    // A clock that starts at no round number; keys end as Redis ends them; numbers become text as in Redis.
    private const string Simulation = """

        end
        local now, keys, ends = 1700000000123, {}, {}
        local function text(value) return type(value) == 'number' and string.format('%.17g', value) or value end
        local function live(key)
            if ends[key] and ends[key] <= now then keys[key], ends[key] = nil, nil end
            return keys[key]
        end
        local function table_of(key)
            if not live(key) then keys[key] = {} end
            return keys[key]
        end
        local function add(old, more) return text((tonumber(old or '0')) + more) end
        local commands = {
            TIME = function() return {text(math.floor(now / 1000)), text(now % 1000 * 1000)} end,
            GET = function(key) return live(key) or false end,
            INCRBY = function(key, more) keys[key] = add(live(key), more) return tonumber(keys[key]) end,
            DEL = function(key) keys[key], ends[key] = nil, nil end,
            PTTL = function(key) return not live(key) and -2 or ends[key] and ends[key] - now or -1 end,
            PEXPIRE = function(key, ms) if live(key) then ends[key] = now + ms end end,
            HMGET = function(key, ...)
                local found, hash = {}, live(key) or {}
                for i, field in ipairs({...}) do found[i] = hash[field] or false end
                return found
            end,
            HGETALL = function(key)
                local all = {}
                for field, value in pairs(live(key) or {}) do all[#all + 1] = field all[#all + 1] = value end
                return all
            end,
            HSET = function(key, ...)
                local all, hash = {...}, table_of(key)
                for i = 1, #all, 2 do hash[text(all[i])] = text(all[i + 1]) end
            end,
            HDEL = function(key, field) table_of(key)[field] = nil end,
            HINCRBY = function(key, field, more) local hash = table_of(key) hash[text(field)] = add(hash[text(field)], more) end,
            ZADD = function(key, score, member) table_of(key)[member] = score end,
            ZREMRANGEBYSCORE = function(key, _, most)
                for member, score in pairs(live(key) or {}) do if score <= most then keys[key][member] = nil end end
            end,
            ZCARD = function(key)
                local count = 0
                for _ in pairs(live(key) or {}) do count = count + 1 end
                return count
            end,
        }
        local fake = {call = function(name, ...) return commands[name](...) end}

        local function copy(value)
            if type(value) ~= 'table' then return value end
            local other = {}
            for k, v in pairs(value) do other[k] = copy(v) end
            return other
        end
        local function passes_at(time, arguments)
            local saved_now, saved_keys, saved_ends = now, copy(keys), copy(ends)
            now = time
            local reply = charge(fake, {'counter'}, arguments)
            now, keys, ends = saved_now, saved_keys, saved_ends
            return reply[1]
        end

        math.randomseed(tonumber(ARGV[1]))
        local algorithm, max_cost, reply = ARGV[2], tonumber(ARGV[3]), {}
        for phase = 4, #ARGV, 3 do
            local permits, span, steps = ARGV[phase], tonumber(ARGV[phase + 1]), tonumber(ARGV[phase + 2])
            for step = 1, steps do
                local dice = math.random(100)
                if dice > 98 then now = now + math.random(0, math.floor(span * 1.5))
                elseif dice > 90 then now = now + math.random(0, math.ceil(span / 10))
                elseif dice > 40 then now = now + math.random(0, math.ceil(span / 150)) end
                local cost = math.random(max_cost)
                local time = algorithm == 'total' and 1700000000123 + span or span
                local function arguments(mode) return {mode, 'permit-' .. phase .. '-' .. step, '6000', algorithm, permits, text(cost), text(time), '0'} end
                local decided = charge(fake, {'counter'}, arguments('charge'))
                local wait, at_wait, before = decided[4], 1, 0
                if wait > 0 then
                    at_wait = passes_at(now + wait, arguments('look'))
                    before = passes_at(now + wait - 1, arguments('look'))
                end
                for key in pairs(keys) do if not ends[key] then return redis.error_reply(key .. ' has no end') end end
                for _, number in ipairs({now, cost, decided[1], decided[2], decided[3], wait, at_wait, before}) do reply[#reply + 1] = number end
            end
        end
        return reply
        """;

    /// <summary>Sends requests at random times, of random costs, to one counter.</summary>
    /// <param name="algorithm">As the script calls it.</param>
    /// <param name="phases">One after the other: what the limit is, and how many requests come. A total's span ends it, counted from the beginning.</param>
    public static async Task<IReadOnlyList<Decision>> RunAsync(
        RedisServer redis, int seed, string algorithm, int maxCost, params (long Permits, long Span, int Requests)[] phases)
    {
        using var stream = typeof(RateLimitCounters).Assembly.GetManifestResourceStream("RateLimiting/charge.lua")!;
        using var reader = new StreamReader(stream);
        var script = $"local function charge(redis, KEYS, ARGV)\n{await reader.ReadToEndAsync()}\n{Simulation}";
        await using var connection = await redis.ConnectAsync();
        var arguments = new List<object> { script, 0, seed, algorithm, maxCost };
        foreach (var (permits, span, requests) in phases)
            arguments.AddRange([permits, span, requests]);

        var numbers = (long[])(await connection.GetServers()[0].ExecuteAsync("EVAL", [.. arguments.Select(one => (object)Convert.ToString(one, CultureInfo.InvariantCulture)!)]))!;
        return [.. numbers.Chunk(8).Select(n => new Decision(n[0], n[1], n[2] == 1, n[3], n[4], n[5], n[6] == 1, n[7] == 1))];
    }
}
