-- Read the books of the scopes, as they are once expired holds are swept.
-- KEYS and ARGV: as in common.lua. No own ARGV.
-- Reply: 'books' or 'window' (the caller's window is over), ms now, the books.
local at = now()
local scopes = opened(at)
if not scopes then return { 'window', at } end
return closed(scopes, { 'books', at })
