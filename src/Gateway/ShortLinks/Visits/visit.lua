-- Decides a visit of a link with a maximum, and counts it if it is admitted. Never sent twice: it consumes. Begins with statistics.lua.
-- KEYS: link, visits, statistics
-- ARGV: 1 to consume a visit, 0 only to ask; the referring host; a link's id, and how many visits of it the node knows of
-- Returns: 1 admitted, 0 used up, -1 no such link, -2 not valid yet, -3 expired, -4 another link has the slug; then the link's visits.
local link = redis.call('HMGET', KEYS[1], 'id', 'starts', 'expires', 'max')
if not link[1] then return {-1, 0} end
if link[1] ~= ARGV[3] then return {-4, 0} end
local visits = tonumber(redis.call('GET', KEYS[2]) or '0')
-- Visits that were admitted before this server was set back to an earlier state. Also of a link that has expired: its dates can be changed.
if visits < tonumber(ARGV[4]) then
    visits = tonumber(ARGV[4])
    redis.call('SET', KEYS[2], ARGV[4])
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if link[2] and now < tonumber(link[2]) then return {-2, 0} end
if link[3] and now >= tonumber(link[3]) then return {-3, 0} end
if link[4] and visits >= tonumber(link[4]) then return {0, visits} end
if ARGV[1] ~= '1' then return {1, visits} end
note(KEYS[3], string.format('%.0f', math.floor(tonumber(time[1]) / 86400)), ARGV[2], 1)
return {1, redis.call('INCR', KEYS[2])}
