namespace Gateway;

/// <summary>The name under which the gateway's instruments and activities are found.</summary>
internal static class GatewayMeter
{
    public const string Name = "Gateway";
}
