-- The beginning of count.lua and visit.lua: adds visits to a link's statistics, bounded in days and referring hosts.
-- Fields: d<day since 1970>, r<host>, and how many of each there are: days, hosts.
local most_days, most_hosts = 400, 100

local function forget_days(key, newest)
    local fields = redis.call('HKEYS', key)
    local left = 0
    for _, field in ipairs(fields) do
        local day = tonumber(string.match(field, '^d(%d+)$'))
        if day and day <= newest - 366 then
            redis.call('HDEL', key, field)
        elseif day then
            left = left + 1
        end
    end
    redis.call('HSET', key, 'days', string.format('%.0f', left))
end

local function note(key, day, host, visits)
    local total = redis.call('HINCRBY', key, 'd' .. day, visits)
    if total == tonumber(visits) and redis.call('HINCRBY', key, 'days', 1) > most_days then
        forget_days(key, tonumber(day))
    end
    if redis.call('HEXISTS', key, 'r' .. host) == 0 then
        if tonumber(redis.call('HGET', key, 'hosts') or '0') >= most_hosts then
            host = '(other)'
        else
            redis.call('HINCRBY', key, 'hosts', 1)
        end
    end
    redis.call('HINCRBY', key, 'r' .. host, visits)
end

