-- Put a chunk of messages where it belongs, and what stands before them all, and let the transcript live on.
-- KEYS: as in common.lua.
-- ARGV: 1 position of its first message, 2 the chunk, 3 ms that the transcript lives, 4 the preamble, or nothing if it
-- stays.
-- Reply: 1.
redis.call('HSET', TRANSCRIPT, ARGV[1], ARGV[2])
if ARGV[4] ~= '' then
  redis.call('HSET', TRANSCRIPT, 'preamble', ARGV[4])
end
redis.call('PEXPIRE', TRANSCRIPT, ARGV[3])
return 1
