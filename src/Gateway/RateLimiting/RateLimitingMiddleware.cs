using System.Threading.RateLimiting;
using Gateway.RateLimiting.Concurrency;
using Gateway.RateLimiting.Leasing;
using Gateway.RateLimiting.Lists;
using Gateway.RateLimiting.Local;
using Gateway.RateLimiting.Ranking;

namespace Gateway.RateLimiting;

/// <summary>
/// Admits a request when all limits of its route's policy do. (1) The policy's allow and deny lists come first; (2) a
/// client known to be over a limit is refused from memory; (3) the counters of all nodes decide, in one call, or leased
/// permits without any; (4) without Redis the limits' own setting does; (5) what a request took only while it ran is
/// given back, and what it cost is settled.
/// </summary>
internal sealed class RateLimitingMiddleware(
    RequestDelegate next, RateLimitPolicies policies, RequestCharges requests, RateLimitCounters counters, BlockedClients blocked, ClientLists lists,
    LeasedPermits leased, HeldPermits held, LocalLimits local, LimitedClients limited)
{
    public Task InvokeAsync(HttpContext context) =>
        policies.Find(context.GetEndpoint()) is { } policy ? LimitAsync(context, policy) : next(context);

    private Task LimitAsync(HttpContext context, RateLimitPolicy policy)
    {
        // 1.
        if (lists.Find(policy, context) is { } list)
        {
            RateLimitingMetrics.Request(policy, list == ListKind.Allow ? RateLimitOutcome.Allowed : RateLimitOutcome.Denied);
            return list == ListKind.Allow ? next(context) : RateLimitAnswers.DenyAsync(context);
        }

        if (policy.Leased is not null && TryTakeLeased(context, policy))
            return next(context);

        if (requests.Of(policy, context, out var badField) is not { } charges)
        {
            RateLimitingMetrics.Request(policy, RateLimitOutcome.Invalid);
            return RateLimitAnswers.RefuseCostAsync(context, badField!);
        }

        // 2.
        if (blocked.Find(charges) is { } known)
            return RejectAsync(context, policy, charges, known.ToArray(), RateLimitOutcome.RejectedFromMemory);

        return ChargeAsync(context, policy, charges);
    }

    // 3 where this node has a permit: nothing is waited for, and nothing is made but the text of one field.
    private bool TryTakeLeased(HttpContext context, RateLimitPolicy policy)
    {
        var charge = requests.OfOnly(policy, context);
        if (!leased.TryTake(charge, out var state))
            return false;
        Admit(context, policy, [charge], new ReadOnlySpan<LimitState>(in state), RateLimitOutcome.Leased);
        return true;
    }

    private static void Admit(
        HttpContext context, RateLimitPolicy policy, ReadOnlySpan<LimitCharge> charges, ReadOnlySpan<LimitState> states, RateLimitOutcome outcome)
    {
        RateLimitFields.Write(context.Response.Headers, policy, states);
        RateLimitingMetrics.Request(policy, outcome);
        for (var i = 0; i < charges.Length; i++)
            RateLimitingMetrics.Admitted(charges[i], states[i]);
        if (policy.HasLegacyFields)
            RateLimitFields.KeepLegacy(context.Response);
    }

    private async Task ChargeAsync(HttpContext context, RateLimitPolicy policy, LimitCharge[] charges)
    {
        // 3.
        var epoch = blocked.Epoch;
        var isLeased = policy.Leased is not null && leased.CanLease(charges[0]);
        var permit = policy.HoldsPermits ? held.NewName() : "";
        var charge = isLeased
            ? await leased.TryChargeAsync(charges[0], context.RequestAborted)
            : await counters.TryChargeAsync(charges, permit);
        if (charge is null)
        {
            await GoOnWithoutRedisAsync(context, policy, charges);
            return;
        }

        if (!charge.IsAdmitted)
        {
            RateLimitFields.Write(context.Response.Headers, policy, charge.Limits);
            var violated = Array.FindAll(charge.Limits, state => state is { IsOver: true, Limit.IsShadow: false });
            Remember(charges, violated, epoch);
            await RejectAsync(context, policy, charges, violated, RateLimitOutcome.Rejected);
            return;
        }

        Admit(context, policy, charges, charge.Limits, isLeased ? RateLimitOutcome.Leased : RateLimitOutcome.Admitted);
        if (policy is { HoldsPermits: false, SettlesAfterwards: false })
            await next(context);
        else
            await RunAsync(context, policy, charges, charge.Limits, permit);
    }

    // 4.
    private async Task GoOnWithoutRedisAsync(HttpContext context, RateLimitPolicy policy, LimitCharge[] charges)
    {
        if (policy.HasDeny)
        {
            RateLimitingMetrics.Request(policy, RateLimitOutcome.Refused);
            await RateLimitAnswers.RefuseWithoutRedisAsync(context);
            return;
        }

        List<RateLimitLease> taken = [];
        if (policy.HasLocal && local.Take(charges, out taken) is { } met)
        {
            await RejectAsync(context, policy, charges, [met], RateLimitOutcome.RejectedLocally);
            return;
        }

        RateLimitingMetrics.Request(policy, policy.HasLocal ? RateLimitOutcome.Local : RateLimitOutcome.Uncounted);
        try
        {
            await next(context);
        }
        finally
        {
            taken.ForEach(lease => lease.Dispose());
        }
    }

    // 5.
    private async Task RunAsync(HttpContext context, RateLimitPolicy policy, LimitCharge[] charges, LimitState[] states, string permit)
    {
        if (policy.HoldsPermits)
            held.Add(permit, charges, states);
        try
        {
            await next(context);
        }
        finally
        {
            if (policy.HoldsPermits)
                await held.ReleaseAsync(permit);
            if (policy.SettlesAfterwards)
                await SettleAsync(context, charges);
        }
    }

    private async ValueTask SettleAsync(HttpContext context, LimitCharge[] charges)
    {
        var owed = new List<LimitCharge>();
        foreach (var charge in charges)
        {
            // One permit was taken before.
            if (charge.Limit.CostFromResponse is { } field && RequestCost.TryRead(context.Response.Headers[field], out var cost) && cost > 1)
                owed.Add(charge with { Cost = cost - 1 });
        }

        if (owed.Count == 0)
            return;
        await counters.SettleAsync([.. owed]);
        owed.ForEach(charge => RateLimitingMetrics.Settled(charge));
    }

    private void Remember(LimitCharge[] charges, LimitState[] violated, int epoch)
    {
        foreach (var state in violated)
            blocked.Add(Array.Find(charges, charge => charge.Limit == state.Limit), state, epoch);
    }

    private Task RejectAsync(HttpContext context, RateLimitPolicy policy, LimitCharge[] charges, LimitState[] violated, RateLimitOutcome outcome)
    {
        RateLimitingMetrics.Rejected(violated[0].Limit, outcome);
        foreach (ref readonly var charge in charges.AsSpan())
        {
            if (IsAmong(violated, charge.Limit))
                limited.Add(policy, charge);
        }

        // What all limits say is told already where Redis said it.
        if (!context.Response.Headers.ContainsKey("RateLimit"))
            RateLimitFields.Write(context.Response.Headers, policy, violated);
        return RateLimitAnswers.RejectAsync(context, violated);
    }

    private static bool IsAmong(LimitState[] violated, RateLimit limit)
    {
        foreach (var state in violated)
        {
            if (state.Limit == limit)
                return true;
        }

        return false;
    }
}
