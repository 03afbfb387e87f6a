-- Reserve a model at a dearer price from now on. It is forgotten once no call has been too dear for long enough.
-- KEYS: as in common.lua.
-- ARGV: 1 model, 2 thousandths of the listed price, 3 ms until it is forgotten.
-- Reply: the thousandths that hold now.
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
if tonumber(ARGV[2]) > known then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HGET', KEYS[1], ARGV[1])
