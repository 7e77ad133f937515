namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>
/// For tests that measure memory: alone, after those that run in parallel, which allocate too and keep the runtime busy
/// compiling, and code that is not fully compiled allocates more, by a different amount in each run.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RunsAlone
{
    public const string Name = "runs alone";
}
