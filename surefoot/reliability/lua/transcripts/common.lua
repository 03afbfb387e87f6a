-- A transcript is a hash: where a chunk of messages begins, and the chunk. What is behind a chunk that was replaced
-- stays: whoever reads compares digests.
local TRANSCRIPT = KEYS[1]
