using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>Signals to processes that a test started.</summary>
internal static partial class Signals
{
    private const int SigCont = 18, SigStop = 19;

    /// <summary>Stops a process without closing its connections: it answers nothing until it is resumed.</summary>
    public static void Pause(this Process process) => Send(process, SigStop);

    public static void Resume(this Process process) => Send(process, SigCont);

    private static void Send(Process process, int signal) =>
        Assert.True(Kill(process.Id, signal) == 0, $"Process {process.Id} takes no signal {signal}.");

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
