namespace Gateway.ChangeLog;

/// <summary>
/// How much of the change log a node had applied before it fetched, or revalidated, something. What it then stores
/// is unusable once a matching change with a higher number is known.
/// </summary>
/// <param name="Epoch">The log's epoch; 0 before this node ever read the log, below 0 while it is in doubt which log that is.</param>
/// <param name="Number">The last number applied in that epoch.</param>
/// <param name="LocalNumber">The last change this node could not yet write to the log; 0 on what other nodes stored.</param>
internal readonly record struct ChangeStamp(long Epoch, long Number, long LocalNumber);

/// <summary>What the change log says about something stored.</summary>
internal enum ChangeVerdict
{
    /// <summary>No change since it was stored concerns it.</summary>
    Current,

    /// <summary>A change concerns it: it must not be used.</summary>
    Changed,

    /// <summary>A soft change concerns it: it is stale from now on.</summary>
    Stale,

    /// <summary>The log was lost, or trimmed past it: whether it changed is unknown, and it must be revalidated.</summary>
    Unknown,
}

/// <summary>One change as the log spreads it.</summary>
/// <param name="Selector">What changed.</param>
/// <param name="Number">Its place in the log.</param>
internal readonly record struct Change(Selector Selector, long Number);
