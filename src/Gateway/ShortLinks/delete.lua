-- Removes a link and everything kept for it, in one step: tags that it got meanwhile are among those returned.
-- KEYS: link, visits, batches, statistics, guesses
-- Returns: how many of these there were; the link's tags, parted by spaces; the request that made it.
local link = redis.call('HMGET', KEYS[1], 'tags', 'request')
local removed = redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return {removed, link[1] or '', link[2] or ''}
