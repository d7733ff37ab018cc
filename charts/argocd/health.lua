-- Health of a Millrace object for Argo CD, by the conditions that every Millrace kind has.
local function condition(type)
  for _, entry in ipairs(obj.status.conditions or {}) do
    if entry.type == type and entry.status == "True" then return entry end
  end
  return nil
end

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not dealt with the last change yet" }
end
local suspended = condition("Suspended")
if suspended then return { status = "Suspended", message = suspended.message } end
local stalled = condition("Stalled")
if stalled then return { status = "Degraded", message = stalled.message } end
local reconciling = condition("Reconciling")
if reconciling then return { status = "Progressing", message = reconciling.message } end
local ready = condition("Ready")
if ready then return { status = "Healthy", message = ready.message } end
return { status = "Progressing", message = "the operator has not judged it yet" }
