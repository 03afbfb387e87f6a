-- Put a chunk of messages where it belongs, and let the transcript live on.
-- KEYS: as in common.lua.
-- ARGV: 1 position of its first message, 2 the chunk, 3 ms that the transcript lives.
-- Reply: 1.
redis.call('HSET', TRANSCRIPT, ARGV[1], ARGV[2])
redis.call('PEXPIRE', TRANSCRIPT, ARGV[3])
return 1
