namespace Gateway.Hosting.Configuration;

/// <summary>The value is a secret, or can hold one: no message repeats it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute : Attribute;
