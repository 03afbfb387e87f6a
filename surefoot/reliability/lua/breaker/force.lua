-- Set the state by hand: forced_open, disabled, or closed, which also forgets what was counted.
-- KEYS: as in common.lua.
-- ARGV: 1 state, 2 reason, 3 token of the act.
-- Reply: the transition that this act caused, or '' if the breaker was in that state already.
local cause = 'force ' .. ARGV[3]
local at, b = now(), loaded()
local before = told(cause)
if before ~= '' then return before end
if b.state == ARGV[1] and ARGV[1] ~= 'closed' then return '' end
return moved(b, ARGV[1], ARGV[2], cause, at, 0, 0)
